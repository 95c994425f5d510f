"""Saves what is shown to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...export.formats import SUFFIXES
from ..dialogs.save import SaveDialog
from ..host import Host
from ..output.save import SaveError, default_name, save
from ..screens.base.screen import MonitorScreen


async def save_screen(
    host: Host, screen: MonitorScreen, path: str, picture: Callable[[], str]
) -> None:
    """Save what a screen shows; ask for a file name unless a new file is named.

    Args:
        host: The app.
        screen: The screen.
        path: The file; empty to suggest a name made from the view and the time.
        picture: Returns the screen as SVG.
    """
    default = Path(path or default_name(screen.location.view, host.context.now())).expanduser()
    chosen: Path | None = default
    if not path or default.suffix not in SUFFIXES or default.exists():
        chosen = await host.ask(SaveDialog(default))
    if chosen is None:
        return
    columns = () if screen.table is None else screen.table.columns
    try:
        what = save(chosen, screen.shown_rows(), columns, host.context, picture)
    except SaveError as error:
        host.say(str(error), "error")
    else:
        host.say(f"Saved {what} to {chosen}")
