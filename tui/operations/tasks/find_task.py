"""Finds a task that is not in the model, and opens its page."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from ....model.lookup import whole_id_note
from ....model.text.sanitize import visible
from ...dialogs.text import TextDialog
from ...history.failed_reads import failed
from ...host import Host
from ...navigation import page_of
from ...text.unknown import HISTORY_UNAVAILABLE

MODEL_TIMEOUT: Final = 2.0
"""Seconds for the task that was found to be in the model."""
MODEL_CHECK_INTERVAL: Final = 0.05
"""Seconds between two looks."""
MAX_ID_CHARACTERS: Final = 60
"""Characters of an id that are shown."""


async def find_task(host: Host, id_: str) -> None:
    """Look for a task in workers, queues and the result backend, and open its page."""
    host.answered()
    context = host.context
    shown = visible(id_, MAX_ID_CHARACTERS)
    places: list[str] = []
    if context.session.history.stored is not None:
        stored = asyncio.wrap_future(context.session.history.stored.find(id_))
        await asyncio.wait({stored})
        unavailable = failed(stored)
        ids = () if stored.cancelled() or stored.exception() is not None else stored.result()
        if len(ids) > 1:
            host.say(f"Several tasks in the history have ids that start with {shown}", "error")
            return
        if ids:
            await _open(host, ids[0])
            return
        places.append(HISTORY_UNAVAILABLE if unavailable else "history: no task")
    host.say(f"Looking for {shown} in workers, queues and the result backend")
    lookup = asyncio.wrap_future(context.session.lookups.find_task(id_))
    await asyncio.wait({lookup})
    if (error := lookup.exception()) is not None:
        host.say(f"Cannot look for {shown}: {error}", "error")
        return
    found = lookup.result()
    if found.not_found:
        places += [f"{one.place}: {one.text}" for one in found.places]
        if note := whole_id_note(id_):
            places += ["", f"{note[0].upper()}{note[1:]}"]
        await host.ask(TextDialog(f"{shown} was not found", "\n".join(places)))
        return
    await _open(host, id_)


async def _open(host: Host, id_: str) -> None:
    """Open the page of a task that was found, once it is in the model."""
    deadline = time.monotonic() + MODEL_TIMEOUT
    while id_ not in host.context.live.tasks and time.monotonic() < deadline:
        await asyncio.sleep(MODEL_CHECK_INTERVAL)
    host.unfreeze()
    host.go(host.location.deeper(page_of(id_)))
