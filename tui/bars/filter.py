"""The filter line with its key bindings."""

from __future__ import annotations

from typing import ClassVar

from ...bindings.contexts import Context
from ...widgets.filter_bar import FilterBar
from ..keymap import bindings


class Filter(FilterBar):
    """The line above a list; hidden while there is no filter."""

    CONTEXT: ClassVar[Context] = "filter"
    BINDINGS = bindings("filter")
