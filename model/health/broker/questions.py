"""Findings on questions to the broker and the workers that failed."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Final

from ...entities.fault import NO_REPLY, Fault
from ...entities.worker import Worker
from ...state import ClusterState
from ...text import units
from ..finding import Finding, SubjectKind

QUESTIONS: Final[dict[str, str]] = {
    "workers": "the list of workers",
    "queues": "the list of queues",
    "depths": "the queue depths",
    "results": "the results",
    "history": "the history",
}
"""The subjects of the questions about the cluster of which a failure is a finding."""

_SUBJECTS: Final[dict[str, SubjectKind]] = {
    "workers": "workers", "queues": "queues", "depths": "queues", "results": "results",
    "history": "history",
}  # fmt: skip

COMMANDS: Final = (
    "stats", "active", "reserved", "scheduled", "active_queues", "registered", "conf",
)  # fmt: skip
"""The inspect commands whose replies are shown."""


def question_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for each fault that left questions without an answer."""
    if state.broker.phase == "lost":
        return  # nothing can be asked
    shared = set()
    for question, what in QUESTIONS.items():
        fact = state.fact(question)
        if fact.fault is None:
            continue
        shared.add(fact.fault)
        if fact.fault == state.broker.fault:
            # The broker's own finding reports it.
            continue
        # What a kind of broker cannot answer at all needs no attention, but a note.
        limitation = fact.fault.kind == "unsupported"
        yield Finding(
            f"{question}-unknown",
            "info" if limitation else "warning" if question == "history" else "error",
            _SUBJECTS[question],
            f"{what} may be incomplete: {fact.fault.problem}",
            next_step=fact.fault.advice,
            evidence={"question": question, "failed_at": fact.failed_at},
            incomplete=not limitation,
        )
    listening = state.broker.listening(now)
    for name in state.present_workers(now):
        worker = state.workers[name]
        failed = failed_commands(worker)
        late = bool(failed) and worker.status(listening) != "online"
        for fault, commands in failed.items():
            # That a late worker does not reply either is nothing new.
            if fault not in shared and not (late and fault.kind == NO_REPLY.kind):
                yield _worker_finding(worker, fault, commands, now)


def failed_commands(worker: Worker) -> dict[Fault, list[str]]:
    """Return the inspect commands whose latest attempt failed, by fault."""
    failed: dict[Fault, list[str]] = {}
    facts, last = worker.facts, None
    for command in COMMANDS:
        if command in facts and (fault := facts[command].fault) is not None:
            if fault is not last:  # most often all have one fault, and a hash takes time
                last, commands = fault, failed.setdefault(fault, [])
            commands.append(command)
    return failed


def failures(worker: Worker) -> list[str]:
    """Return the inspect commands that failed, with the reason, in a few words for each fault."""
    return [
        f"{_named(commands)} failed: {fault.problem}"
        for fault, commands in failed_commands(worker).items()
    ]


def _named(commands: list[str]) -> str:
    return "inspect" if len(commands) == len(COMMANDS) else f"inspect {', '.join(commands)}"


def _worker_finding(worker: Worker, fault: Fault, commands: list[str], now: float) -> Finding:
    facts = [worker.facts[command] for command in commands]
    ages = [age for fact in facts if (age := fact.age(now)) is not None]
    known = len(ages) == len(facts)
    values = f"{units.duration(int(max(ages)))} old" if known else "unknown"
    next_step = fault.advice
    asked_at = min(fact.asked_at or inf for fact in facts)
    if fault.kind == "no-reply" and (worker.inspected_at or 0.0) >= asked_at:
        next_step = "It replies to other commands; check its log"
    return Finding(
        "worker-inspect-failed",
        "warning",
        "worker",
        f"{_named(commands)} failed: {fault.problem}; its values are {values}",
        worker.name,
        next_step,
        {"commands": commands, "failed_at": facts[0].failed_at},
        common=f"{_named(commands)} failed: {fault.problem}",
        incomplete=True,
    )
