"""Reads the progress that tasks report, in any common form.

Celery prescribes none. In public code about a third of tasks report `{"progress": 40}`, a third
`{"current": 3, "total": 15}`, a fifth only a text, and the rest variations of these.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ...entities.task import Progress
from ...text.coerce import MAX_FIELD_LENGTH, to_float, to_text

_DONE: Final = dict.fromkeys((
    "current", "done", "processed", "completed", "size", "page", "step", "n", "i",
))  # fmt: skip
_TOTAL: Final = dict.fromkeys(("total", "count", "max", "n"))
_PERCENT: Final = dict.fromkeys(("percent", "percentage", "pct", "process_percent", "progress"))
_TEXT: Final = (
    "status", "message", "description", "stage", "step", "step_key", "current_step", "msg",
    "progress",
)  # fmt: skip

MAX_META_LENGTH: Final = 200
"""Characters of an unrecognized meta, which is shown as text."""

MAX_CACHED_NAMES: Final = 5_000
"""Task names whose paths are cached."""


class ProgressPaths(msgspec.Struct, frozen=True, gc=False):
    """Where tasks report their progress: dotted paths such as `stats.done`."""

    current: str | None = None
    total: str | None = None
    percent: str | None = None
    text: str | None = None


class ProgressReader:
    """Reads progress in the common forms, and at the paths that the user configured.

    The paths are given by name or pattern of task names (`geo.*`); the first that matches counts.
    """

    def __init__(self, paths: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._rules = [
            (pattern, re.compile(fnmatch.translate(pattern)), ProgressPaths(**fields))
            for pattern, fields in (paths or {}).items()
        ]
        self._by_name: dict[str, ProgressPaths | None] = {}

    def read(
        self, name: str | None, meta: Mapping[str, object], at: float, source: str
    ) -> Progress | None:
        """Return the progress in a task's meta: the user's paths first, then the common forms."""
        paths = self._paths(name) if self._rules and name is not None else None
        progress = None if paths is None else _from_paths(paths, meta, at, source)
        return read_progress(meta, at, source) if progress is None else progress

    def read_custom_state(
        self, name: str | None, meta: object, at: float, source: str
    ) -> Progress | None:
        """Return the progress in the meta of a custom state; if unrecognized, its text."""
        if meta is None:
            return None
        if isinstance(meta, Mapping):
            progress = self.read(name, meta, at, source) if meta else None
            if progress is not None or not meta:
                return progress
        elif not isinstance(meta, str):
            amount = None if isinstance(meta, bool) else to_float(meta)
            if amount is not None:
                return Progress(None, amount, None, None, source, at)
        text = to_text(meta, MAX_META_LENGTH)
        return Progress(None, None, None, text, source, at) if text else None

    def _paths(self, name: str) -> ProgressPaths | None:
        if name not in self._by_name:
            if len(self._by_name) >= MAX_CACHED_NAMES:
                self._by_name.clear()
            matching = (
                paths
                for exact, pattern, paths in self._rules
                if name == exact or pattern.match(name)
            )
            self._by_name[name] = next(matching, None)
        return self._by_name[name]


def _from_paths(
    paths: ProgressPaths, meta: Mapping[str, object], at: float, source: str
) -> Progress | None:
    current, total = _amount(meta, paths.current), _amount(meta, paths.total)
    percent = _amount(meta, paths.percent)
    value = None if paths.text is None else _value_at(meta, paths.text)
    text = None if value is None else to_text(str(value), MAX_FIELD_LENGTH) or None
    if current is not None and total is not None and total > 0:
        return Progress(_share(current / total), current, total, text, source, at)
    if percent is not None:
        return Progress(_share(percent / 100), current, None, text, source, at)
    if current is None and text is None:
        return None
    return Progress(None, current, None, text, source, at)


def _amount(meta: Mapping[str, object], path: str | None) -> float | None:
    value = None if path is None else _value_at(meta, path)
    return None if isinstance(value, bool) else to_float(value)


def _value_at(meta: Mapping[str, object], path: str) -> object:
    """Return the value at a dotted path; in events, nested values are JSON text."""
    value: Any = meta
    for step in path.split("."):
        if isinstance(value, str):
            try:
                value = msgspec.json.decode(value)
            except (msgspec.MsgspecError, RecursionError):
                return None
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value if isinstance(value, str | int | float) else None


def read_progress(meta: Mapping[str, object], at: float, source: str) -> Progress | None:
    """Return the progress in the fields of a custom event or the meta of a result, or None."""
    text = _text(meta)
    pair = _pair(meta)
    if pair is not None:
        current, total = pair
        return Progress(_share(current / total), current, total, text, source, at)
    percent = _percent(meta)
    if percent is not None:
        return Progress(percent, None, None, text, source, at)
    current_alone = to_float(meta.get("current"))
    if current_alone is not None and not isinstance(meta.get("current"), bool):
        # In practice a lone `current` is a percentage as often as a count: show only the number.
        return Progress(None, current_alone, None, text, source, at)
    return None if text is None else Progress(None, None, None, text, source, at)


def _pair(meta: Mapping[str, object]) -> tuple[float, float] | None:
    current = _first(meta, _DONE) or _by_affix(
        meta,
        suffixes=("_processed", "_done", "_completed"),
        prefixes=("completed_", "processed_", "done_"),
    )
    if current is None:
        return None
    total = _first(meta, _TOTAL) or _by_affix(
        meta, suffixes=("_total", "_count"), prefixes=("total_",)
    )
    if total is None or current[0] == total[0] or total[1] <= 0:
        return None
    return current[1], total[1]


def _first(meta: Mapping[str, object], names: Mapping[str, None]) -> tuple[str, float] | None:
    if names.keys().isdisjoint(meta):
        return None
    for name in names:
        value = meta.get(name)
        if value is None or isinstance(value, bool):
            continue
        amount = to_float(value)
        if amount is not None:
            return name, amount
    return None


def _by_affix(
    meta: Mapping[str, object], suffixes: tuple[str, ...], prefixes: tuple[str, ...]
) -> tuple[str, float] | None:
    # Keys need not be strings in MessagePack and pickles.
    names = [
        name
        for name in meta
        if isinstance(name, str) and (name.startswith(prefixes) or name.endswith(suffixes))
    ]
    return _first(meta, dict.fromkeys(names)) if names else None


def _percent(meta: Mapping[str, object]) -> float | None:
    found = _first(meta, _PERCENT)
    if found is None:
        return None
    name, amount = found
    # 0.5 is a fraction, while the integer 1 is one percent.
    is_fraction = 0 < amount <= 1 and not isinstance(meta[name], int)
    return _share(amount if is_fraction else amount / 100)


def _share(fraction: float) -> float:
    return min(1.0, max(0.0, fraction))


def _text(meta: Mapping[str, object]) -> str | None:
    for name in _TEXT:
        value = meta.get(name)
        if isinstance(value, str) and value and to_float(value) is None:
            return to_text(value, MAX_FIELD_LENGTH)
    return None
