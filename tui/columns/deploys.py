"""The columns that compare task types before and after the latest deploy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...lists import numbers
from ...model.entities.task_type import TaskType
from ...model.text import units
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame
from ..history.deploy_effects import DeployEffects

_WIDTH: Final = 16
_PRIORITY: Final = 3


def deploy_columns(effects: DeployEffects) -> tuple[Column[TaskType], ...]:
    """Return the columns of the share of failures and of run times."""

    def failed(row: TaskType, frame: Frame) -> Cell:
        effect = effects.of(row.name)
        if effect is None:
            return numbers.NOTHING
        style = "bad" if effect.fails_more else "muted"
        return before_and_after(effect.failed_before, effect.failed_after, units.percent), style

    def slowed(row: TaskType, frame: Frame) -> Cell:
        effect = effects.of(row.name)
        if effect is None:
            return numbers.NOTHING
        style = "warn" if effect.is_slower else "muted"
        return before_and_after(effect.p95_before, effect.p95_after, units.duration), style

    return (
        Column("deploy_failed", "Deploy: fail %", _WIDTH, failed, _PRIORITY, justify="right"),
        Column("deploy_p95", "Deploy: run p95", _WIDTH, slowed, _PRIORITY, justify="right"),
    )


def before_and_after(
    before: float | None, after: float | None, text: Callable[[float], str]
) -> str:
    """Return two values as `0.8 % to 4.1 %`."""
    old, new = (units.UNKNOWN if value is None else text(value) for value in (before, after))
    return f"{old} to {new}"
