"""The forms of worker operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from ....lists.limits import limits_text
from ....model.confirm.pools import resized
from ....model.entities.worker import Limits
from ....model.state import ClusterState
from ....model.text import units
from ....model.text.parse import ParseError, duration, integer, rate, seconds_text
from ....model.text.phrases import shortened
from ....widgets.form.field import FormField
from ....widgets.form.form import Problems
from .base import FormDialog

MAX_PROCESSES: Final = 1_000
"""The largest pool size and change that is accepted: more is a typo."""
MAX_SHOWN_WORKERS: Final = 6
"""Workers whose current values are shown; the rest are counted."""
EXCHANGE_TYPES: Final = ("direct", "topic", "fanout", "headers")
TIME_NOTES: Final = (
    "Both limits are always set: leaving one out would remove it",
    "Workers confirm immediately, but apply the limits only after a pool restart or a reconnect",
)
DIFFERS: Final = "differs between the workers: type a value or none"


def resize_form(names: Sequence[str], state: ClusterState, *, grow: bool) -> FormDialog:
    """Return the form for growing or shrinking pools, with a preview of the new sizes."""
    workers = {name: state.workers.get(name) for name in names}
    sign = 1 if grow else -1

    def preview(values: Mapping[str, Any]) -> str:
        sizes = [f"{name}: {resized(one, sign * values['by'])}" for name, one in workers.items()]
        return "; ".join(shortened(sizes, MAX_SHOWN_WORKERS))

    hint = f"1 to {MAX_PROCESSES:,}"
    by = FormField("by", "Processes", lambda text: integer(text, 1, MAX_PROCESSES), "1", hint)
    verb = "Grow" if grow else "Shrink"
    return FormDialog(f"{verb} {pools(names)} by", [by], submit=verb, preview=preview)


def autoscale_form(names: Sequence[str], state: ClusterState) -> FormDialog:
    """Return the form for the autoscale limits of pools, with the current ones filled in."""
    scales = {name: _autoscaler(state, name) for name in names}
    minimum = _common(str(scale["min"]) for scale in scales.values() if "min" in scale)
    maximum = _common(str(scale["max"]) for scale in scales.values() if "max" in scale)
    notes = [
        f"{name}: {_range(scale)}" if scale else f"{name}: started without --autoscale"
        for name, scale in list(scales.items())[:MAX_SHOWN_WORKERS]
    ]

    def check(values: Mapping[str, Any]) -> Problems:
        if values.get("least", 0) > values.get("most", MAX_PROCESSES):
            return {"most": "less than the minimum"}
        return {}

    fields = [
        FormField("least", "Minimum", lambda text: integer(text, 0, MAX_PROCESSES), minimum or ""),
        FormField("most", "Maximum", lambda text: integer(text, 1, MAX_PROCESSES), maximum or ""),
    ]
    return FormDialog(
        f"Autoscale {pools(names)}", fields, notes=notes, submit="Autoscale", check=check
    )


def consumer_form(names: Sequence[str], queues: Sequence[str]) -> FormDialog:
    """Return the form for adding a consumer: the queue and its binding."""

    def preview(values: Mapping[str, Any]) -> str:
        queue = values["queue"]
        exchange, key = values["exchange"] or queue, values["routing_key"] or queue
        bound = f"bound to exchange {exchange} ({values['type']}) with routing key {key}"
        return f"{queue}, {bound}"

    fields = [
        FormField("queue", "Queue", _name, options=queues, hint="down key: completions"),
        FormField("exchange", "Exchange", str.strip, hint="empty: same as the queue"),
        FormField("type", "Type", str, EXCHANGE_TYPES[0], kind="choice", options=EXCHANGE_TYPES),
        FormField("routing_key", "Routing key", str.strip, hint="empty: same as the queue"),
    ]
    title = f"Consume a queue on {pools(names, 'worker')}"
    return FormDialog(title, fields, submit="Consume", preview=preview)


def rate_form(task: str, limits: Mapping[str, Limits | None]) -> FormDialog:
    """Return the form for the rate limit of a task type, with the current one filled in."""
    known = [each.rate or "0" for each in limits.values() if each is not None]
    common = _common(known)
    entry = FormField(
        "rate",
        "Rate",
        rate,
        common or "",
        "10/m, 5/s, 100/h; 0: no limit",
        explain=lambda value: "no limit" if value == "0" else f"at most {value} on each worker",
        flag=DIFFERS if known and common is None else None,
    )
    notes = limit_lines(limits)
    return FormDialog(f"Rate limit of {task}", [entry], notes=notes, submit="Set limit")


def time_form(task: str, limits: Mapping[str, Limits | None]) -> FormDialog:
    """Return the form for both time limits of a task type: Celery sets them together."""
    known = [each for each in limits.values() if each is not None]
    fields = []
    for name, label, meaning in (
        ("soft", "Soft limit", "SoftTimeLimitExceeded is raised in the task"),
        ("hard", "Hard limit", "the pool process is killed"),
    ):
        common = _common(seconds_text(getattr(each, name)) or "none" for each in known)
        flag = DIFFERS if known else "unknown: type a value or none"
        fields.append(
            FormField(
                name,
                label,
                _limit,
                common or "",
                "30s, 5m, 1h; none: the worker's default",
                partial(_meaning, meaning),
                flag=flag if common is None else None,
            )
        )

    def check(values: Mapping[str, Any]) -> Problems:
        soft, hard = values.get("soft"), values.get("hard")
        if soft is not None and hard is not None and soft >= hard:
            return {"soft": "must be shorter than the hard limit"}
        return {}

    notes = [*limit_lines(limits), *TIME_NOTES]
    title = f"Time limits of {task}"
    return FormDialog(title, fields, notes=notes, submit="Set limit", check=check)


def limit_lines(limits: Mapping[str, Limits | None]) -> list[str]:
    """Return the current limits of workers, a line each."""
    lines = [f"{name}: {limits_text(each)}" for name, each in limits.items()]
    return shortened(lines, MAX_SHOWN_WORKERS)


def pools(names: Sequence[str], noun: str = "pool") -> str:
    """Return `the pool of w1` or `3 pools`; `w1` or `3 workers` for the noun `worker`."""
    if len(names) != 1:
        return f"{len(names):,} {noun}s"
    return f"the pool of {names[0]}" if noun == "pool" else names[0]


def _name(text: str) -> str:
    if not text.strip():
        raise ParseError("required")
    return text.strip()


def _limit(text: str) -> float | None:
    if text.strip().lower() in ("", "none", "no limit"):
        return None
    seconds = duration(text)
    if not seconds:
        raise ParseError("must be longer than 0 s; none: the worker's default")
    return seconds


def _meaning(meaning: str, limit: float | None) -> str:
    return "the worker's default" if limit is None else f"{units.duration(limit)}: {meaning}"


def _autoscaler(state: ClusterState, name: str) -> Mapping[str, Any]:
    worker = state.workers.get(name)
    scale = ((worker.stats if worker is not None else None) or {}).get("autoscaler")
    return scale if isinstance(scale, dict) else {}


def _range(scale: Mapping[str, Any]) -> str:
    return f"{scale.get('min', '?')} to {scale.get('max', '?')}, now {scale.get('current', '?')}"


def _common(texts: Any) -> str | None:
    """Return the common value of all texts, or None."""
    found = set(texts)
    return found.pop() if len(found) == 1 else None
