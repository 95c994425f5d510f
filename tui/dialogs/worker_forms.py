"""The forms of what is done to workers: fields, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...model.confirm.pools import resized
from ...model.entities.worker import Limits
from ...model.state import ClusterState
from ...model.text import units
from ...model.text.parse import ParseError, duration, integer, rate, seconds_text
from ...widgets.form.form import FormField, Problems
from ..text.limits import limits_text
from .form import FormDialog

MOST: Final = 1_000
"""Processes by which a pool grows at most at once: more is a slip of the finger."""
SHOWN: Final = 6
"""Workers of which the present values are shown; the rest are counted."""
TYPES: Final = ("direct", "topic", "fanout", "headers")
TIME_NOTES: Final = (
    "Both are sent together: a worker forgets one that is not",
    "Workers go by the old ones until their pool restarts or they connect anew, whatever they say",
)
DIFFERS: Final = "differs between the workers: type one, or none"


def resize_form(names: Sequence[str], state: ClusterState, *, grow: bool) -> FormDialog:
    """Ask by how many processes pools grow or shrink, and show what comes of it."""
    workers = {name: state.workers.get(name) for name in names}
    sign = 1 if grow else -1

    def preview(values: Mapping[str, Any]) -> str:
        return "; ".join(
            f"{name}: {resized(worker, sign * values['by'])}"
            for name, worker in list(workers.items())[:SHOWN]
        ) + (f"; and {len(workers) - SHOWN:,} more" if len(workers) > SHOWN else "")

    by = FormField("by", "Processes", lambda text: integer(text, 1, MOST), "1", f"1 to {MOST:,}")
    verb = "Grow" if grow else "Shrink"
    return FormDialog(f"{verb} {pools(names)} by", [by], submit=verb, preview=preview)


def autoscale_form(names: Sequence[str], state: ClusterState) -> FormDialog:
    """Ask between which sizes pools scale, starting from the present limits."""
    told = {name: _autoscaler(state, name) for name in names}
    least = _common(str(scale["min"]) for scale in told.values() if "min" in scale)
    most = _common(str(scale["max"]) for scale in told.values() if "max" in scale)
    notes = [
        f"{name}: {_range(scale)}" if scale else f"{name}: started without --autoscale"
        for name, scale in list(told.items())[:SHOWN]
    ]

    def check(values: Mapping[str, Any]) -> Problems:
        if values.get("least", 0) > values.get("most", MOST):
            return {"most": "less than the least"}
        return {}

    entries = [
        FormField("least", "At least", lambda text: integer(text, 0, MOST), least or ""),
        FormField("most", "At most", lambda text: integer(text, 1, MOST), most or ""),
    ]
    return FormDialog(
        f"Autoscale {pools(names)}", entries, notes=notes, submit="Autoscale", check=check
    )


def consumer_form(names: Sequence[str], queues: Sequence[str]) -> FormDialog:
    """Ask which queue workers are to consume, and how it is bound."""

    def preview(values: Mapping[str, Any]) -> str:
        queue = values["queue"]
        exchange, key = values["exchange"] or queue, values["routing_key"] or queue
        bound = f"bound to the exchange {exchange} ({values['type']}) by {key}"
        return f"{queue}, {bound}"

    entries = [
        FormField("queue", "Queue", _name, options=queues, hint="down completes it"),
        FormField("exchange", "Exchange", str.strip, hint="empty: named like the queue"),
        FormField("type", "Type", str, TYPES[0], kind="choice", options=TYPES),
        FormField("routing_key", "Routing key", str.strip, hint="empty: the queue's name"),
    ]
    title = f"Have {pools(names, 'worker')} consume a queue"
    return FormDialog(title, entries, submit="Consume", preview=preview)


def rate_form(task: str, limits: Mapping[str, Limits | None]) -> FormDialog:
    """Ask for the rate of a task type, starting from the present one."""
    known = [each.rate or "0" for each in limits.values() if each is not None]
    common = _common(known)
    entry = FormField(
        "rate",
        "Rate",
        rate,
        common or "",
        "10/m, 5/s, 100/h; 0 is no limit",
        told=lambda value: "no limit" if value == "0" else f"each worker starts {value} at most",
        flag=DIFFERS if known and common is None else None,
    )
    notes = limit_lines(limits)
    return FormDialog(f"Rate limit of {task}", [entry], notes=notes, submit="Limit")


def time_form(task: str, limits: Mapping[str, Limits | None]) -> FormDialog:
    """Ask for the soft and the hard limit of a task type together: each sets the other, too."""
    known = [each for each in limits.values() if each is not None]
    entries = []
    for name, label, meaning in (
        ("soft", "Soft limit", "SoftTimeLimitExceeded is raised in the task"),
        ("hard", "Hard limit", "its process is killed"),
    ):
        common = _common(seconds_text(getattr(each, name)) or "none" for each in known)
        entries.append(
            FormField(
                name,
                label,
                _limit,
                common or "",
                "30s, 5m, 1h; none is the worker's own limit",
                told=lambda value, meaning=meaning: (  # type: ignore[misc]
                    "the worker's own limit"
                    if value is None
                    else f"{units.duration(value)}: {meaning}"
                ),
                flag=(DIFFERS if known else "not known: type one, or none")
                if common is None
                else None,
            )
        )

    def check(values: Mapping[str, Any]) -> Problems:
        soft, hard = values.get("soft"), values.get("hard")
        if soft is not None and hard is not None and soft >= hard:
            return {"soft": "has to be shorter than the hard limit"}
        return {}

    notes = [*limit_lines(limits), *TIME_NOTES]
    return FormDialog(
        f"Time limits of {task}", entries, notes=notes, submit="Limit", check=check
    )  # fmt: skip


def limit_lines(limits: Mapping[str, Limits | None]) -> list[str]:
    """Return the present limits of some workers, a line each."""
    lines = [f"{name}: {limits_text(each)}" for name, each in list(limits.items())[:SHOWN]]
    return [*lines, f"and {len(limits) - SHOWN:,} more"] if len(limits) > SHOWN else lines


def pools(names: Sequence[str], what: str = "pool") -> str:
    """Return the name of a worker, or how many pools or workers it is about."""
    if len(names) != 1:
        return f"{len(names):,} {what}s"
    return f"the pool of {names[0]}" if what == "pool" else names[0]


def _name(text: str) -> str:
    if not text.strip():
        raise ParseError("needed")
    return text.strip()


def _limit(text: str) -> float | None:
    if text.strip().lower() in ("", "none", "no limit"):
        return None
    seconds = duration(text)
    if not seconds:
        raise ParseError("at least a moment; none is no limit")
    return seconds


def _autoscaler(state: ClusterState, name: str) -> Mapping[str, Any]:
    worker = state.workers.get(name)
    told = ((worker.stats if worker is not None else None) or {}).get("autoscaler")
    return told if isinstance(told, dict) else {}


def _range(scale: Mapping[str, Any]) -> str:
    return f"{scale.get('min', '?')} to {scale.get('max', '?')}, now {scale.get('current', '?')}"


def _common(texts: Any) -> str | None:
    """Return the text that all are; None if they differ, or if there are none."""
    found = set(texts)
    return found.pop() if len(found) == 1 else None
