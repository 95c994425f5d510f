"""The steps of `celtop doctor`, as text and as JSON.

Fields may be added to version 1 of the JSON document; none is removed or renamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from ..model.health.steps import Step, StepStatus
from ..model.text.sanitize import visible
from ..model.text.units import iso
from .encoding.json import utf8
from .snapshot.records import FindingRecord
from .snapshot.snapshot import finding_record

SCHEMA: Final = "celtop.doctor/1"
MAX_LINE: Final = 1_000
"""Characters of a line of text."""
INDENT: Final = " " * 31

_UNICODE: Final[dict[StepStatus, str]] = {
    "ok": "✓", "warning": "!", "failed": "✗", "not checked": "·",
}  # fmt: skip
_ASCII: Final[dict[StepStatus, str]] = {
    "ok": "+", "warning": "!", "failed": "x", "not checked": "-",
}  # fmt: skip


class StepRecord(msgspec.Struct, frozen=True, gc=False):
    """One step."""

    name: str
    """Stable: `settings`, `dns`, `tcp`, `tls`, `server`, `password`, `database`, ..."""
    title: str
    status: str
    """`ok`, `warning`, `failed` or `not checked`."""
    text: str
    next_step: str | None
    findings: list[FindingRecord]
    details: list[str]


class DoctorReport(msgspec.Struct, frozen=True, gc=False):
    """All steps."""

    schema: str
    taken_at: str | None
    status: str
    """The worst status of all steps: `ok`, `warning` or `failed`."""
    broker: str
    """The broker's URL without its password; empty if it is not known."""
    steps: list[StepRecord]


def report(steps: Sequence[Step], broker: str, now: float) -> DoctorReport:
    """Return the JSON document."""
    return DoctorReport(
        SCHEMA, iso(now), status_of(steps), utf8(broker), [_record(step) for step in steps]
    )


def status_of(steps: Sequence[Step]) -> StepStatus:
    """Return the worst status of all steps."""
    found = {step.status for step in steps}
    return "failed" if "failed" in found else "warning" if "warning" in found else "ok"


def _record(step: Step) -> StepRecord:
    return StepRecord(
        step.kind.name,
        step.kind.title,
        step.status,
        utf8(step.text),
        utf8(step.next_step) or None,
        [finding_record(one) for one in step.findings],
        [utf8(line) for line in step.details],
    )


def render(step: Step, *, ascii_only: bool) -> bytes:
    """Return a step as text: its line, and below it the next step, findings and details."""
    lines = [_line(step.status, step.kind.title, step.text, ascii_only=ascii_only)]
    if step.next_step:
        lines.append(f"{INDENT}Next: {step.next_step}")
    for one in step.findings:
        lines.append(f"{INDENT}{one.subject}: {one.text}")
        if one.next_step:
            lines.append(f"{INDENT}  Next: {one.next_step}")
    lines += [f"{INDENT}| {line}" for line in step.details]
    return _encoded(lines)


def render_summary(steps: Sequence[Step], *, ascii_only: bool) -> bytes:
    """Return the last lines: the steps that were left out, and the number of steps by status."""
    counts = Counter(step.status for step in steps)
    lines = []
    if left_out := [step.kind.title for step in steps if step.is_left_out]:
        lines.append(_line("not checked", ", ".join(left_out), "", ascii_only=ascii_only))
    shown = [f"{counts[status]} {status}" for status in _UNICODE if counts[status]]
    return _encoded([*lines, "", ", ".join(shown)])


def _line(status: StepStatus, title: str, text: str, *, ascii_only: bool) -> str:
    sign = (_ASCII if ascii_only else _UNICODE)[status]
    return f"{sign} {status:<12} {title:<16}{text}".rstrip()


def _encoded(lines: Sequence[str]) -> bytes:
    text = "".join(visible(line, MAX_LINE) + "\n" for line in lines)
    return text.encode(errors="backslashreplace")
