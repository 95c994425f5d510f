"""The answer of `celtop why`, as JSON or text.

Names that end in `_at` are UTC times in ISO 8601, those in `_s` seconds. Fields may be added to
version 1; none is removed or renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ..model.state import ClusterState
from ..model.text.sanitize import visible
from ..model.text.units import iso
from ..model.why.answer import Answer, evidence_line, sentence
from .encoding.json import utf8
from .snapshot.records import FindingRecord
from .snapshot.snapshot import finding_record

SCHEMA: Final = "celtop.why/1"
MAX_LINE: Final = 1_000
"""Characters of a line of text."""


class EvidenceRecord(msgspec.Struct, frozen=True, gc=False):
    """One fact behind the answer."""

    text: str
    at: str | None
    """When it was measured or reported; null if it is not the answer to a question."""
    age_s: float | None


class WhyReport(msgspec.Struct, frozen=True, gc=False):
    """Why a task or queue is in its present state."""

    schema: str
    taken_at: str | None
    kind: str
    """`task` or `queue`."""
    name: str
    """The id of the task, or the queue."""
    task: str | None
    """The name of the task."""
    state: str | None
    """The state of the task."""
    code: str
    """Stable: `next`, `consumers-full`, `eta`, `rate-limit`, ... or the code of a finding."""
    text: str
    next_step: str | None
    evidence: list[EvidenceRecord]
    findings: list[FindingRecord]
    """The findings on the task, its queue and its worker, or on the queue."""


def report(answer: Answer, state: ClusterState, now: float) -> WhyReport:
    """Return the report of an answer."""
    task = state.tasks.get(answer.name) if answer.kind == "task" else None
    return WhyReport(
        SCHEMA,
        iso(now),
        answer.kind,
        utf8(answer.name),
        None if task is None or task.name is None else utf8(task.name),
        None if task is None else utf8(task.state),
        answer.code,
        utf8(answer.text),
        utf8(answer.next_step) or None,
        [
            EvidenceRecord(
                utf8(one.text),
                iso(one.at),
                None if one.at is None else round(max(0.0, now - one.at), 3),
            )
            for one in answer.evidence
        ],
        [finding_record(finding) for finding in answer.findings],
    )


def render(answer: Answer, state: ClusterState, now: float) -> str:
    """Return the answer as text: subject, reason, next step and evidence."""
    return "".join(visible(line, MAX_LINE) + "\n" for line in _lines(answer, state, now))


def _lines(answer: Answer, state: ClusterState, now: float) -> Iterator[str]:
    task = state.tasks.get(answer.name) if answer.kind == "task" else None
    if task is not None:
        yield f"{task.id}  {task.name or '?'}  {task.state}"
    else:
        yield f"queue {answer.name}"
    yield ""
    yield f"  {sentence(answer.text)}"
    if answer.next_step:
        yield f"  Next: {answer.next_step}"
    if answer.evidence:
        yield ""
        yield from (f"    {evidence_line(one, now)}" for one in answer.evidence)
    others = [one for one in answer.findings if one.code != answer.code]
    if others:
        yield ""
        yield from (f"  ! {one.subject}: {one}" for one in others)
