"""Why a finished task ended as it did."""

from __future__ import annotations

import signal
from typing import Final

from ..entities.states import CANCELLED, FAILURE, REJECTED, REVOKED, SUCCESS
from ..entities.task import Task
from ..health.workers.crashes import WORKER_LOST, ended_by, signal_name
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted
from ..text.traceback import exception_class, location_of
from .answer import Answer, Evidence

MAX_EXCEPTION: Final = 300
"""Characters of an exception in an answer."""


def killed_by(task: Task) -> int | None:
    """Return the number of the signal that ended a failed task's process; None if none did."""
    for text in (task.exception or "", (task.traceback or "")[-2_000:]):
        if WORKER_LOST in text and (number := ended_by(text)) is not None:
            return number
    return None


def why_finished(task: Task, state: ClusterState, now: float) -> Answer:
    """Return why a finished task ended as it did."""
    ended = task.finished_at
    ago = f", {units.ago(ended - state.skew(task.worker), now)}" if ended is not None else ""
    code, text, next_step = _reason(task, state, now)
    return Answer(code, "task", task.id, text + ago, tuple(_evidence(task)), next_step)


def _reason(task: Task, state: ClusterState, now: float) -> tuple[str, str, str]:
    if task.state == SUCCESS:
        took = task.elapsed(now)
        return "succeeded", f"it succeeded{f' in {units.duration(took)}' if took else ''}", ""
    if task.state == FAILURE:
        return _failure(task)
    extra = task.extra
    if task.state == REVOKED:
        if extra is not None and extra.expired:
            return (
                "expired",
                "it expired before a worker started it",
                "Check why it waited so long, or send it with a later expires",
            )
        if extra is not None and extra.terminated:
            by = f" with {extra.signal}" if extra.signal else ""
            return "terminated", f"it was revoked and terminated{by}", ""
        if task.revoked_unconfirmed:
            return (
                "revoked-unconfirmed",
                (
                    "it was revoked according to the result backend, but no worker has discarded "
                    "its message yet; workers that restart forget the revoke"
                ),
                "Check that its message no longer waits before you send it again",
            )
        return "revoked", "it was revoked before a worker started it", ""
    if task.state == REJECTED:
        requeued = extra is not None and extra.requeued
        text = "it was rejected" + (" and returned to its queue" if requeued else "")
        return "rejected", text, "" if requeued else "Check where the task raises Reject"
    if task.state == CANCELLED:
        return (
            "cancelled",
            "its worker cancelled it: it lost the connection to the broker, or was shut down",
            "Send it again if it must run",
        )
    return "finished", f"it ended with state {task.state}", ""


def _failure(task: Task) -> tuple[str, str, str]:
    kind = exception_class(task.exception) or ""
    exception = (task.exception or "an unknown exception")[:MAX_EXCEPTION]
    number = killed_by(task)
    if number == signal.SIGKILL:
        return (
            "killed",
            "its pool process was killed with SIGKILL (WorkerLostError)",
            (
                f"Check the kernel log of {_host(task)} for the out-of-memory killer, and the "
                "memory limit of its container"
            ),
        )
    if number is not None:
        return (
            "killed",
            f"its pool process was ended by {signal_name(number)} (WorkerLostError)",
            (
                f"Check the log of {task.worker or 'its worker'}; SIGSEGV and SIGABRT come from "
                "native code"
            ),
        )
    if kind.endswith("TimeLimitExceeded"):
        which = "soft" if kind.startswith("Soft") else "hard"
        return (
            "time-limit",
            f"it exceeded its {which} time limit: {exception}",
            "Raise the time limit of the task type, or find out why it takes so long",
        )
    if kind.endswith("NotRegistered"):
        return (
            "not-registered",
            f"{task.worker or 'its worker'} has not registered it",
            "Deploy the task's code to the worker, or route the task to another queue",
        )
    if kind.endswith("MaxRetriesExceededError"):
        return "retries-exceeded", f"it failed after its last retry: {exception}", ""
    where = location_of(task.traceback, task.name)
    text = f"it failed: {exception}{f', at {where}' if where else ''}"
    return "failed", text, "Fix the cause, then retry it"


def _host(task: Task) -> str:
    return (task.worker or "").rpartition("@")[2] or "its host"


def _evidence(task: Task) -> list[Evidence]:
    found = []
    if task.worker is not None:
        found.append(Evidence(f"worker: {task.worker}"))
    if task.queue is not None:
        found.append(Evidence(f"queue: {task.queue}"))
    if task.attempts:
        found.append(Evidence(f"{counted(len(task.attempts) + 1, 'attempt')}"))
        for attempt in task.attempts[-3:]:
            text = f"attempt {attempt.number + 1}: {attempt.state}"
            if attempt.exception:
                text += f", {attempt.exception[:MAX_EXCEPTION]}"
            found.append(Evidence(text))
    return found
