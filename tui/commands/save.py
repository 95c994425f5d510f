"""Saves what is shown to a file."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Callable
from pathlib import Path

from ...export.formats import SUFFIXES
from ..dialogs.save import SaveDialog
from ..host import Host
from ..output.save import SaveError, default_name, save
from ..screens.base.screen import MonitorScreen


async def save_screen(
    host: Host, screen: MonitorScreen, path: str, screenshot: Callable[[], str]
) -> None:
    """Save what a screen shows; ask for a file name unless a new file is named.

    Args:
        host: The app.
        screen: The screen.
        path: The file; empty to suggest a name made from the view and the time.
        screenshot: Returns the screen as SVG.
    """
    default = Path(path or default_name(screen.location.view, host.context.now())).expanduser()
    chosen: Path | None = default
    if not path or default.suffix not in SUFFIXES or default.exists():
        chosen = await host.ask(SaveDialog(default))
    # A screenshot must show neither the dialog nor the command line: they are closed by then.
    drawn = Event()
    screen.call_after_refresh(drawn.set)
    await drawn.wait()
    if chosen is None:
        return
    columns = () if screen.table is None else screen.table.columns
    try:
        what = save(chosen, screen.shown_rows(), columns, host.context, screenshot)
    except SaveError as error:
        host.say(str(error), "error")
    else:
        host.say(f"Saved {what} to {chosen}")
