"""Typed commands, and the part of the app that they may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from ..host import Host

if TYPE_CHECKING:
    from textual.theme import Theme

    from ...files.views_file import View
    from ..loop import FrameLoop
    from ..operations.runner import OperationRunner
    from ..replay import ReplayControls


R = TypeVar("R")


class CommandHost(Host, Protocol):
    """The app, as commands see it."""

    theme: str
    frame_loop: FrameLoop
    runner: OperationRunner

    @property
    def replay_controls(self) -> ReplayControls | None:
        """Moves the replay of a recording; None if this is not one."""

    @property
    def available_themes(self) -> Mapping[str, Theme]:
        """The themes by name."""

    def read_themes(self) -> Mapping[str, str]:
        """Read the themes of the user; return why others cannot be used, by name."""

    def use_mouse(self, on: bool) -> None:
        """Capture the mouse, or leave it to the terminal."""

    def show_times(self, how: str) -> None:
        """Show times as one of `TIMES`."""

    def shown_view(self) -> View | None:
        """Return what is on the screen as a view; None if it cannot be saved as one."""

    def open_view(self, view: View, name: str) -> None:
        """Open a saved view."""

    def chosen(self, kind: type[R]) -> list[R]:
        """Return the selected rows of a kind, which need not be of those for operations."""

    def choose_columns(self) -> None:
        """Choose the columns of the list on the screen."""

    def run_command(self, line: str) -> None:
        """Run a command line, or show why it cannot be run."""

    async def action_command_line(self, text: str = "") -> None:
        """Open the command line."""

    def action_export(self, path: str = "") -> None:
        """Ask for a file name, and save what is shown."""

    def action_charts(self) -> None:
        """Show the charts of the subject of the page, otherwise of the cluster."""

    def action_freeze(self) -> None:
        """Freeze the screen, or unfreeze it."""

    def action_help(self) -> None:
        """Show the keys."""

    def action_refresh_now(self) -> None:
        """Poll workers and queues now."""


Run: TypeAlias = "Callable[[CommandHost, str], None]"
Values: TypeAlias = "Callable[[CommandHost], Iterable[str]]"


class CommandError(Exception):
    """A command that cannot be run, with the reason for the user."""


@dataclass(frozen=True, slots=True)
class Command:
    """A typed command."""

    name: str
    help: str
    run: Run
    argument: str = ""
    """Its argument in the help: `SECONDS`."""
    values: Values | None = None
    """The arguments that completion offers."""
    current: Callable[[CommandHost], str] | None = None
    """The value in use. With it, the command without an argument opens a menu of `values`."""
    aliases: tuple[str, ...] = ()
    filters: bool = False
    """Whether the argument is a filter of tasks."""


def task_starting_with(host: Host, start: str) -> str | None:
    """Return the id of the only known task that starts with a text; None if there is none.

    An id that is the text itself comes first, whether or not others start with it.

    Raises:
        CommandError: Several tasks start with it, or it is empty.
    """
    if not start:
        raise CommandError("Missing argument: a task id or the start of one")
    tasks = host.context.live.tasks
    found = [start] if start in tasks else [id_ for id_ in tasks if id_.startswith(start)]
    if len(found) > 1:
        raise CommandError(f"{len(found)} task ids start with {start}")
    return found[0] if found else None


def known_task(host: Host, start: str) -> str:
    """Return the id of the only known task that starts with a text.

    Raises:
        CommandError: None or several start with it.
    """
    found = task_starting_with(host, start)
    if found is None:
        raise CommandError(f"No known task id starts with {start}")
    return found
