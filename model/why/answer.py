"""The answer to why a task or a queue is where it is, with the evidence and the next step."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from ..health.finding import Finding
from ..text import units

Subject: TypeAlias = Literal["task", "queue"]


class Evidence(msgspec.Struct, frozen=True):
    """One fact behind an answer."""

    text: str
    at: float | None = None
    """When it was measured or reported, epoch seconds; None if it is not the answer to a question.
    """


class Answer(msgspec.Struct, frozen=True):
    """Why a task or queue is in its present state, worded for every front end."""

    code: str
    """Stable, for scripts: `next`, `consumers-full`, `eta`, ... or the code of a finding."""
    kind: Subject
    name: str
    text: str
    """The reason, without the subject and without a full stop. It may contain text from the
    cluster."""
    evidence: tuple[Evidence, ...] = ()
    next_step: str = ""
    """What to do about it: a sentence without its full stop; empty if nothing needs to be done."""
    findings: tuple[Finding, ...] = ()
    """The findings on the task, its queue and its worker, the worst first."""

    @staticmethod
    def of_finding(kind: Subject, name: str, finding: Finding) -> Answer:
        """Return a finding as the answer."""
        return Answer(finding.code, kind, name, finding.text, next_step=finding.next_step)


def sentence(text: str) -> str:
    """Return a text as a sentence; a name at its beginning stays as it is."""
    is_word = text.partition(" ")[0].isalpha()
    return f"{text[:1].upper() if is_word else text[:1]}{text[1:]}."


def evidence_line(evidence: Evidence, now: float) -> str:
    """Return a fact with its age."""
    if evidence.at is None:
        return evidence.text
    return f"{evidence.text} ({units.ago(evidence.at, now)})"
