"""How far a task says that it has come, in whatever words its author chose.

Celery prescribes no shape. In public code about a third writes `{"progress": 40}`, a third
`{"current": 3, "total": 15}`, a fifth only a text, and the rest variations of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .events import LONGEST_FIELD, number, plain_text
from .task import Progress

_DONE: Final = (
    "current", "done", "processed", "completed", "size", "page", "step", "n", "i",
)  # fmt: skip
_TOTAL: Final = ("total", "count", "max", "n")
_PERCENT: Final = ("percent", "percentage", "pct", "process_percent", "progress")
_TEXT: Final = (
    "status", "message", "description", "stage", "step", "step_key", "current_step", "msg",
    "progress",
)  # fmt: skip


def parse(meta: Mapping[str, object], at: float, source: str) -> Progress | None:
    """Read a task's progress from the fields of a custom event or a result's meta.

    Args:
        meta: Any fields with any values.
        at: When it was said, epoch seconds.
        source: `event` or `backend`.

    Returns:
        None where nothing in it tells of progress.
    """
    text = _text(meta)
    pair = _pair(meta)
    if pair is not None:
        current, total = pair
        return Progress(_share(current / total), current, total, text, source, at)
    percent = _percent(meta)
    if percent is not None:
        return Progress(percent, None, None, text, source, at)
    current_alone = number(meta.get("current"))
    if current_alone is not None and not isinstance(meta.get("current"), bool):
        # In the wild a lone `current` is a percentage as often as a count: show only the number.
        return Progress(None, current_alone, None, text, source, at)
    return None if text is None else Progress(None, None, None, text, source, at)


def _pair(meta: Mapping[str, object]) -> tuple[float, float] | None:
    current = _first(meta, _DONE) or _affixed(
        meta,
        suffixes=("_processed", "_done", "_completed"),
        prefixes=("completed_", "processed_", "done_"),
    )
    total = _first(meta, _TOTAL) or _affixed(
        meta, suffixes=("_total", "_count"), prefixes=("total_",)
    )
    if current is None or total is None or current[0] == total[0] or total[1] <= 0:
        return None
    return current[1], total[1]


def _first(meta: Mapping[str, object], names: tuple[str, ...]) -> tuple[str, float] | None:
    for name in names:
        value = meta.get(name)
        amount = None if isinstance(value, bool) else number(value)
        if amount is not None:
            return name, amount
    return None


def _affixed(
    meta: Mapping[str, object], suffixes: tuple[str, ...], prefixes: tuple[str, ...]
) -> tuple[str, float] | None:
    names = tuple(name for name in meta if name.startswith(prefixes) or name.endswith(suffixes))
    return _first(meta, names)


def _percent(meta: Mapping[str, object]) -> float | None:
    found = _first(meta, _PERCENT)
    if found is None:
        return None
    name, amount = found
    # 0.5 written as a fraction; 1 written as an int is one percent.
    is_fraction = 0 < amount <= 1 and not isinstance(meta[name], int)
    return _share(amount if is_fraction else amount / 100)


def _share(fraction: float) -> float:
    return min(1.0, max(0.0, fraction))


def _text(meta: Mapping[str, object]) -> str | None:
    for name in _TEXT:
        value = meta.get(name)
        if isinstance(value, str) and value and number(value) is None:
            return plain_text(value, LONGEST_FIELD)
    return None
