"""A finding: one thing that needs attention, with its evidence and the next step."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

Severity: TypeAlias = Literal["error", "warning", "info"]
SubjectKind: TypeAlias = Literal[
    "broker",
    "events",
    "workers",
    "worker",
    "queues",
    "queue",
    "tasks",
    "task",
    "type",
    "results",
    "beat",
    "schedule",
    "history",
]


SEVERITY_ORDER: Final[dict[Severity, int]] = {"error": 0, "warning": 1, "info": 2}
"""The worst first."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that needs attention, worded for every front end."""

    code: str
    """Stable, for scripts: `queue-without-consumers`, `worker-lost`, ..."""
    severity: Severity
    kind: SubjectKind
    text: str
    """What is wrong, without the subject and without a full stop. It may contain text from the
    cluster."""
    name: str = ""
    """The worker, queue or task; empty if it concerns the whole cluster."""
    next_step: str = ""
    """What to do about it: a sentence without its full stop."""
    evidence: dict[str, Any] = {}
    """The facts behind it: texts, numbers, durations in seconds as `*_s`, times as `*_at`."""
    since: float | None = None
    """When it began or, if that is unknown, was first seen, epoch seconds; None if unknown."""
    grew_at: float | None = None
    """When it last became worse, epoch seconds; None if it did not since it began."""
    common: str = ""
    """The problem that several findings of this code share, such as `lost`; empty if they are not
    grouped."""
    incomplete: bool = False
    """Whether other data is incomplete or out of date because of it. Headless commands report such
    findings on stderr."""

    @property
    def subject(self) -> str:
        """The subject in notes and exports: `broker`, `worker NAME`, ..."""
        return f"{self.kind} {self.name}" if self.name else self.kind

    def __str__(self) -> str:
        return f"{self.text}. {self.next_step}" if self.next_step else self.text
