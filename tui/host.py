"""The part of the app that commands, operations and dialogs use."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from textual.screen import Screen

    from ..bindings.contexts import Context
    from ..model.entities.task import Task
    from ..widgets.table.live_table import LiveTable
    from .context import AppContext
    from .navigation import Location

R = TypeVar("R")
T = TypeVar("T")

Severity: TypeAlias = Literal["information", "warning", "error"]


class Host(Protocol):
    """The app, as the layers below it see it.

    Selection, table and contexts are those of the topmost monitor screen, whether or not a dialog
    covers it.
    """

    @property
    def context(self) -> AppContext:
        """The session, the settings and the clock."""

    @property
    def location(self) -> Location:
        """The location on the screen."""

    @property
    def contexts(self) -> Sequence[Context]:
        """The key contexts of the screen."""

    @property
    def table(self) -> LiveTable[Any] | None:
        """The table that keys go to."""

    def selection(self, kind: type[R]) -> list[R]:
        """Return the selected rows of a kind: the marked ones, otherwise the one at the cursor.

        They are those of the moment when the operation was begun, in their present state.
        """

    def listed(self) -> Sequence[Task] | None:
        """Return all tasks that pass the filter; None on a screen without a list of tasks."""

    @property
    def filtering(self) -> bool:
        """Whether the filter has yet to be applied to all rows of the list."""

    def filter_by(self, text: str) -> None:
        """Filter the list on the screen."""

    def go(self, location: Location, *, filter_text: str = "") -> None:
        """Go to a location, and filter the list there."""

    def say(self, text: str, severity: Severity = "information") -> None:
        """Show a notification."""

    async def ask(self, dialog: Screen[T]) -> T:
        """Show a dialog and return its result. Call it from a Textual worker."""

    def keep_selection(self) -> None:
        """Keep the present selection for the operation that is about to begin."""

    def unfreeze(self) -> None:
        """Show the live model, because a snapshot lacks the result of a lookup."""

    def begin(self, question: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine that is about to open a dialog; keys wait for it, up to `answered`."""

    def answered(self) -> None:
        """Send keys to the screen again while the coroutine goes on."""

    def repaint(self) -> None:
        """Paint in the next frame."""
