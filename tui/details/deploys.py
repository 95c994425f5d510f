"""The latest deploy in words, and its effect on a task type."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from ...model.entities.task_type import TaskType
from ...model.text import units
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ..columns.deploys import before_and_after
from ..context import AppContext

_MAX_TEXT: Final = 80
"""Characters."""


def deploy_text(context: AppContext) -> str:
    """Return when the latest deploy was and what it changed; empty without one."""
    mark = context.deploys.latest
    if mark is None:
        return ""
    at = units.clock(mark.at, UTC if context.utc else None)
    return visible(f"deploy {at}: {mark.text}", _MAX_TEXT)


def deploy_fields(task_type: TaskType, context: AppContext) -> list[Field]:
    """Return how a task type was before and after the latest deploy; nothing without one."""
    effect = context.deploys.of(task_type.name)
    if effect is None or context.deploys.latest is None:
        return []
    failed = before_and_after(effect.failed_before, effect.failed_after, units.percent)
    p95 = before_and_after(effect.p95_before, effect.p95_after, units.duration)
    return [
        Field("Deploy: fail %", failed, "bad" if effect.fails_more else "text"),
        Field("Deploy: run p95", p95, "warn" if effect.is_slower else "text"),
    ]
