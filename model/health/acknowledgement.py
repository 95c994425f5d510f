"""The acknowledgement of a finding: it is quiet until it becomes worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from .finding import SEVERITY_ORDER, Finding, Severity

Key: TypeAlias = tuple[str, str]
"""The code and the subject of a finding."""

WORSE: Final = 2.0
"""How many times as large a number of the evidence is if the finding has become worse."""
MIN_MORE: Final = 10
"""And by how much."""
_NO_AMOUNTS: Final = ("_at", "_s", "_per_s", "_bytes")


class Acknowledgement(msgspec.Struct, frozen=True, gc=False):
    """A finding as it was when it was acknowledged."""

    code: str
    subject: str
    severity: Severity
    at: float
    """When, epoch seconds."""
    common: str = ""
    """The problem, as in `Finding.common`."""
    amounts: dict[str, int] = {}
    """The numbers of its evidence, such as waiting messages."""

    @property
    def key(self) -> Key:
        """The code and the subject."""
        return self.code, self.subject

    def quiets(self, finding: Finding) -> bool:
        """Return whether a finding of the same key is as it was, or less bad."""
        if SEVERITY_ORDER[finding.severity] < SEVERITY_ORDER[self.severity]:
            return False
        if finding.common != self.common:
            return False
        return not any(
            amount >= WORSE * before and amount - before >= MIN_MORE
            for name, amount in _amounts(finding.evidence).items()
            if (before := self.amounts.get(name)) is not None
        )


def acknowledgement(finding: Finding, now: float) -> Acknowledgement:
    """Return the acknowledgement of a finding as it is."""
    return Acknowledgement(
        finding.code,
        finding.subject,
        finding.severity,
        now,
        finding.common,
        _amounts(finding.evidence),
    )


def _amounts(evidence: Mapping[str, object]) -> dict[str, int]:
    return {
        name: value
        for name, value in evidence.items()
        if isinstance(value, int) and not isinstance(value, bool)
        if not name.endswith(_NO_AMOUNTS)
    }
