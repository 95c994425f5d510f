"""Enables and disables periodic tasks."""

from __future__ import annotations

from collections.abc import Sequence

from ...model.health.tasks.schedule_status import EntryStatus
from ...model.operations.schedule_commands import SwitchEntries
from ..host import Host
from .run import run


def switched(rows: Sequence[EntryStatus]) -> SwitchEntries:
    """Return the operation that disables entries; if none is enabled, that which enables them."""
    enabled = any(row.entry.enabled for row in rows)
    return SwitchEntries(entries=tuple(row.entry.name for row in rows), enabled=not enabled)


async def switch_entries(host: Host) -> None:
    """Disable the selected periodic tasks, or enable them if all are disabled."""
    rows = host.selection(EntryStatus)
    if not rows:
        host.say("Select a periodic task first", "warning")
        return
    await run(host, switched(rows))
