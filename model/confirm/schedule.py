"""The confirmation of enabling and disabling periodic tasks."""

from __future__ import annotations

from typing import Final

from ..operations.schedule_commands import SwitchEntries
from ..state import ClusterState
from ..text.phrases import named
from .confirmation import Confirmation, confirm, describe, listed

SWITCHABLE: Final = "django-celery-beat"
"""The only source whose entries can be enabled and disabled."""


@confirm.register
def switch_entries(operation: SwitchEntries, state: ClusterState, now: float) -> Confirmation:
    """Confirm enabling or disabling periodic tasks."""
    entries = [state.schedule.entries.get(name) for name in operation.entries]
    lines = [
        f"{name} (unknown entry)" if one is None else f"{name}: {one.schedule}, {one.task}"
        for name, one in zip(operation.entries, entries, strict=True)
    ]
    unknown = [name for name in operation.entries if name not in state.schedule.entries]
    refusal = None
    if unknown:
        refusal = f"the schedule has no entry {named(unknown)}"
    elif any(one is not None and one.source != SWITCHABLE for one in entries):
        refusal = "only entries of django-celery-beat can be enabled and disabled"
    if operation.enabled:
        effects = ["Beat sends them again from the next time they are due"]
        caveats = ["A task whose time has passed is sent immediately"]
    else:
        effects = ["Beat no longer sends them, within about five seconds"]
        caveats = ["Tasks that were sent already are not revoked"]
    return describe(operation, listed(lines), effects, caveats, refusal=refusal)
