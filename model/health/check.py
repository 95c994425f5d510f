"""Compares the cluster with an operator's limits, for monitoring systems and cron jobs.

A value that is unknown is never within its limit: missing data must not pass for a healthy cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from ..entities.queue import Queue
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted, named
from .finding import SEVERITY_ORDER, Finding, Severity
from .findings import findings
from .message_marks import AgeBounds

Status: TypeAlias = Literal["ok", "warning", "unknown", "failed"]
STATUSES: Final[tuple[Status, ...]] = ("ok", "warning", "unknown", "failed")
"""From the best to the worst. A finding below `error` is a warning; everything else fails."""


NO_AGES: Final[Mapping[str, AgeBounds]] = {}


class CheckLimits(msgspec.Struct, frozen=True):
    """The limits of a check; nothing is checked without one."""

    max_waiting: Mapping[str, int] = {}
    """Messages that may wait, by queue."""
    max_age: Mapping[str, float] = {}
    """Seconds that the first message that may run now may have been waiting, by queue; where that
    is unknown, the oldest message."""
    min_workers: int | None = None
    max_failure_rate: float | None = None
    """Percent of the tasks that finish while events are received."""
    severity: Severity | None = None
    """Findings of this severity or a worse one fail; None ignores findings."""
    ignored: frozenset[str] = frozenset()
    """Codes of findings to ignore."""

    def or_default(self) -> CheckLimits:
        """Return the limits, or if there are none: a worker is online, and no finding is an error.

        Without that, a cluster without workers would pass until messages are waiting in it.
        """
        if self.max_waiting or self.max_age or self.need_workers:
            return self
        return CheckLimits(min_workers=1, severity="error", ignored=self.ignored)

    @property
    def need_workers(self) -> bool:
        """Whether workers have to be inspected; the depths of queues need none."""
        others = (self.min_workers, self.max_failure_rate, self.severity)
        return any(one is not None for one in others)


class CheckResult(msgspec.Struct, frozen=True):
    """The result of one comparison, or a finding."""

    check: str
    """The option: `max-waiting`, `max-age`, `min-workers`, `max-failure-rate` or `severity`."""
    subject: str
    """`queue NAME`, `workers`, `tasks`, or the subject of a finding."""
    status: Status
    text: str
    value: float | None = None
    """The measured value; None if unknown."""
    limit: float | None = None
    unit: str = ""
    """`s` for seconds, `%` for percent; empty for a count."""
    next_step: str = ""
    finding: Finding | None = None
    """The finding that fails; None for a limit, or if there are none."""


def check(
    state: ClusterState,
    limits: CheckLimits,
    now: float,
    *,
    window: float = 0.0,
    silent_workers: int = 0,
    ages: Mapping[str, AgeBounds] = NO_AGES,
) -> tuple[CheckResult, ...]:
    """Return the result of every check, in the order of the limits.

    Args:
        state: The model, after workers and queues have replied or failed to.
        limits: What to check.
        now: The time in epoch seconds.
        window: Seconds for which task events were received.
        silent_workers: Workers that are connected but did not reply: a worker with the solo pool
            is silent while it runs a task.
        ages: Bounds of the ages of messages, by queue, from earlier runs.
    """
    return tuple(_results(state, limits, now, window, silent_workers, ages))


def _results(
    state: ClusterState,
    limits: CheckLimits,
    now: float,
    window: float,
    silent: int,
    ages: Mapping[str, AgeBounds],
) -> Iterator[CheckResult]:
    for name, most in limits.max_waiting.items():
        yield _waiting(state, name, most)
    for name, oldest in limits.max_age.items():
        yield _age(state, name, oldest, ages.get(name, AgeBounds()))
    if limits.min_workers is not None:
        yield _workers(state, limits.min_workers, now, silent)
    if limits.max_failure_rate is not None:
        yield _failures(state, limits.max_failure_rate, window)
    if limits.severity is not None:
        yield from _findings(state, limits.severity, limits.ignored, now)


def _waiting(state: ClusterState, name: str, most: int) -> CheckResult:
    queue = state.queues.get(name)
    waiting = None if queue is None else queue.waiting
    subject = f"queue {name}"
    if waiting is None:
        text = f"number of waiting messages unknown: {_reason(state, queue)}"
        return CheckResult("max-waiting", subject, "unknown", text, None, most)
    text = f"{counted(waiting, 'message')} waiting (limit: {most:,})"
    status: Status = "failed" if waiting > most else "ok"
    step = "" if status == "ok" or queue is None else _next_step(queue)
    return CheckResult("max-waiting", subject, status, text, waiting, most, next_step=step)


def _next_step(queue: Queue) -> str:
    if queue.paused:
        return f"The queue is paused: celtop control resume {queue.name}"
    return "Start a worker for it, or add a consumer" if queue.has_no_consumers else ""


def _age(state: ClusterState, name: str, oldest: float, bounds: AgeBounds) -> CheckResult:
    queue = state.queues.get(name)
    subject = f"queue {name}"

    def result(status: Status, text: str, value: float | None) -> CheckResult:
        limit = f" (limit: {units.duration(oldest)})"
        return CheckResult("max-age", subject, status, text + limit, value, oldest, "s")

    if queue is None or queue.waiting is None:
        return result(
            "unknown", f"age of the oldest message unknown: {_reason(state, queue)}", None
        )
    if not queue.waiting:
        return result("ok", "no messages waiting", 0.0)
    runnable = queue.runnable_age is not None or queue.runnable_age_at_least is not None
    if not runnable and queue.due_at is not None:
        text = f"none of {counted(queue.waiting, 'message')} may run yet"
        return result("ok", text, 0.0)
    age = queue.runnable_age if runnable else queue.oldest_age
    least = queue.runnable_age_at_least if runnable else queue.oldest_age_at_least
    which = "first message that may run" if runnable else "oldest message"
    if age is not None:
        text = f"{which} waiting for {units.duration(age)}"
        return result("failed" if age > oldest else "ok", text, age)
    least = max(least or 0.0, bounds.at_least)
    if least > oldest:
        text = f"{which} waiting for at least {units.duration(least)}"
        return result("failed", text, least)
    if bounds.less_than is not None and bounds.less_than <= oldest:
        text = f"{which} waiting for less than {units.duration(bounds.less_than)}"
        return result("ok", text, least)
    text = (
        f"{counted(queue.waiting, 'message')} waiting, but the age of the {which} is unknown: "
        "its sender added no time, and no earlier check has seen enough messages"
    )
    return result("unknown", text, None)


def _reason(state: ClusterState, queue: Queue | None) -> str:
    """Return why a queue was not measured."""
    facts = [state.fact("depths"), *([] if queue is None else [queue.fact("depth")])]
    failed = next((one.fault for one in facts if one.fault is not None), None)
    if failed is not None:
        return failed.problem
    if queue is None:
        return "the broker has no queue of this name"
    return queue.notes[0] if queue.notes else "no reply from the broker"


def _workers(state: ClusterState, least: int, now: float, silent: int) -> CheckResult:
    names = state.present_workers(now)
    found = len(names) + silent
    text = f"{counted(found, 'worker')} online"
    if silent:
        text += f", {silent:,} of them without a reply, possibly busy in a solo pool"
    text += f" (minimum: {least:,})"
    if found < least and state.broker.phase == "blocked" and state.broker.fault is not None:
        text = f"number of workers unknown: {state.broker.fault.problem}"
        return CheckResult("min-workers", "workers", "unknown", text, None, least)
    fault = state.fact("workers").fault
    if found < least and fault is not None:
        # There may be others, which could not be asked.
        text = f"{text}: {fault.problem}"
    status: Status = "failed" if found < least else "ok"
    step = "Start the missing workers, and check that they use this broker"
    return CheckResult(
        "min-workers",
        "workers",
        status,
        text,
        found,
        least,
        next_step="" if status == "ok" else step,
    )


def _failures(state: ClusterState, most: float, window: float) -> CheckResult:
    totals = state.totals
    finished = totals.succeeded + totals.failed + totals.revoked
    within = f"in {units.duration(window)}"
    limit = f" (limit: {most:g} %)"

    def result(status: Status, text: str, value: float | None, step: str = "") -> CheckResult:
        return CheckResult(
            "max-failure-rate", "tasks", status, text + limit, value, most, "%", step
        )

    unobserved = [name for name, one in state.workers.items() if one.events_enabled is not True]
    if not finished and not state.workers:
        return result("unknown", f"failure rate unknown: no worker replied {within}", None)
    if not finished and unobserved:
        text = f"failure rate unknown: no task events from {named(sorted(unobserved))} {within}"
        return result("unknown", text, None, "Start the workers with -E, or omit --events never")
    if not finished:
        return result("ok", f"no task finished {within}", None)
    rate = totals.failed / finished
    text = f"{units.percent(rate)} failed: {totals.failed:,} of {finished:,} {within}"
    return result("failed" if rate * 100 > most else "ok", text, rate * 100)


def _findings(
    state: ClusterState, severity: Severity, ignored: frozenset[str], now: float
) -> Iterator[CheckResult]:
    found = [
        one
        for one in findings(state, now)
        if SEVERITY_ORDER[one.severity] <= SEVERITY_ORDER[severity] and one.code not in ignored
    ]
    for one in found:
        status: Status = "failed" if one.severity == "error" else "warning"
        yield CheckResult(
            "severity", one.subject, status, one.text, next_step=one.next_step, finding=one
        )
    if not found:
        worse = "" if severity == "error" else " or worse"
        seen = f"{counted(len(state.present_workers(now)), 'worker')}, "
        seen += counted(len(state.queues), "queue")
        text = f"no findings of severity {severity}{worse} ({seen})"
        yield CheckResult("severity", "cluster", "ok", text)
