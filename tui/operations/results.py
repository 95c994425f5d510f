"""Deletes results in the result backend."""

from __future__ import annotations

from ..dialogs.waiting import wait_for
from ..host import Host
from .run import run


async def purge_results(host: Host, filter_text: str) -> None:
    """Count the results that match a filter, and delete them after confirmation."""
    context = host.context
    counting = context.session.lookups.plan_results_purge(filter_text, utc=context.utc)
    operation = await wait_for(host, "Counting the matching results", counting)
    if operation is not None:
        await run(host, operation)
