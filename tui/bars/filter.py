"""The filter line with its key bindings."""

from __future__ import annotations

from typing import ClassVar

from ...bindings.contexts import Context
from ...widgets.filter_bar import FilterBar
from ..keymap import bindings


class Filter(FilterBar):
    """The line above a list, shown while there is a filter."""

    CONTEXT: ClassVar[Context] = "filter"
    BINDINGS = bindings("filter")

    def action_complete(self, step: int) -> None:
        """Put a completion into the line; without one, go to the list."""
        # Letters that are on their way to the input go first.
        self.input.call_later(self._complete_or_leave, step)

    def _complete_or_leave(self, step: int) -> None:
        if not self.complete(step) and step > 0:
            self.post_message(self.Submitted(self.text))

    def action_recall(self, step: int) -> None:
        """Put an older or newer filter into the line; after the newest, go to the list."""
        self.input.call_later(self._recall_or_leave, step)

    def _recall_or_leave(self, step: int) -> None:
        if not self.recall(step) and step > 0:
            self.post_message(self.Submitted(self.text))
