"""Looking for a task that nothing was heard of: everywhere, and then to its page."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from ...model.text.sanitize import visible
from ..navigation import DrillDown

if TYPE_CHECKING:
    from ..app import CeltopApp

APPLIED_WITHIN: Final = 2.0
"""Seconds for what was found to be in the model."""
_PAUSE: Final = 0.05
_LONGEST: Final = 60


async def look_for(app: CeltopApp, id_: str) -> None:
    """Look for a task at the workers, in queues and in the result backend, and open its page."""
    from ..dialogs.text import TextDialog

    shown = visible(id_, _LONGEST)
    app.say(f"Looking for {shown} at the workers, in queues and in the result backend")
    asked = asyncio.wrap_future(app.session.find_task(id_))
    await asyncio.wait({asked})
    if (error := asked.exception()) is not None:
        app.say(f"{shown} could not be looked for: {error}", "error")
        return
    search = asked.result()
    if search.not_found:
        told = "\n".join(f"{one.place}: {one.text}" for one in search.places)
        app.push_screen(TextDialog(f"No place knows {shown}", told))
        return
    deadline = time.monotonic() + APPLIED_WITHIN
    while id_ not in app.context.state.tasks and time.monotonic() < deadline:
        await asyncio.sleep(_PAUSE)
    app.go(app.location.deeper(DrillDown("task", id_, id_[:8])))
