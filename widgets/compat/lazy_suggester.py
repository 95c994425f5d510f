"""A suggester that makes no coroutine before its worker runs.

Textual's makes one for each typed character. If the input is removed before the worker starts, this
coroutine is never awaited, and Python warns of it on the terminal.

It overrides the private `Suggester._get_suggestion`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from textual.dom import DOMNode
from textual.suggester import Suggester


class LazySuggester(Suggester):
    """A suggester that gives its input a function to run in a worker."""

    def _get_suggestion(  # type: ignore[override]
        self, requester: DOMNode, value: str
    ) -> Callable[[], Awaitable[None]]:
        return partial(super()._get_suggestion, requester, value)
