"""Opens the TUI: the only module of the command line that loads Textual, and only then."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .exit_codes import ExitCode, Misuse

if TYPE_CHECKING:
    from ..settings import Settings

INSTEAD = "`celtop snapshot` prints the same as text, JSON or SVG"


def open_monitor(settings: Settings) -> int:
    """Show the monitor until the user leaves it; return its exit code.

    Raises:
        Misuse: There is no terminal that could show it.
    """
    require_terminal()
    from ..cluster.session import Session
    from ..tui.app import CeltopApp

    app = CeltopApp(Session(settings), settings)
    app.run(mouse=settings.mouse)
    return app.return_code or ExitCode.OK


def require_terminal() -> None:
    """Refuse where a screen would be garbage.

    Raises:
        Misuse: stdin or stdout is no terminal, or it cannot move its cursor.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Misuse(f"the monitor needs a terminal; {INSTEAD}")
    if os.environ.get("TERM", "") in ("dumb", "unknown"):
        raise Misuse(f"this terminal (TERM=dumb) cannot show it; {INSTEAD}")
