"""The retention of tasks: how many of each kind at least, and since when all of them.

Memory is bounded, and plain successes make room first: those that succeeded at the first attempt
and not unusually slowly. Every other task is of one kind of `Keep`, which has a budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "marked", "lost", "failed", "retried", "revoked", "running", "waiting", "slow", "succeeded"
]
"""Why a task is kept, the first that applies:

- `marked` or open on the screen;
- `lost`: no worker runs it, and no final event was received;
- `failed`;
- `retried`: waiting for its next attempt, or successful after more than one;
- `revoked`, rejected or cancelled;
- `running`;
- `waiting` in a queue, or reserved by a worker;
- `slow`: successful, and slower than 99 % of its type;
- `succeeded`: a plain success.
"""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

FAILED_KINDS: Final[tuple[Kind, ...]] = ("marked", "failed", "retried")
"""The kinds of which tasks can be in a group of failures."""

KEEP: Final[Mapping[str, int]] = {
    "marked": 5_000,
    "lost": 5_000,
    "failed": 20_000,
    "retried": 10_000,
    "revoked": 5_000,
    "running": 20_000,
    "waiting": 20_000,
    "slow": 5_000,
}
"""Tasks of each kind that are kept however many others arrive; while there is room, more are."""


def budgets(keep: Mapping[str, int], room: float) -> dict[Kind, float]:
    """Return the budget of each kind, reduced in proportion if they exceed `room` together."""
    scale = min(1.0, room / max(1, sum(keep.values())))
    return {kind: scale * keep.get(kind, 0) for kind in KINDS}
