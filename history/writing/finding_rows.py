"""Turns the findings of a model into rows of the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import structs

from ...model.health.finding import Finding
from ..rows import StoredFinding

MAX_FINDINGS: Final = 1_000
DESCRIBED_AGAIN_AFTER: Final = 60.0
"""Seconds after which the changed text of a finding is stored again; its counts may change with
each look."""


class FindingRows:
    """Makes a row when a finding begins, becomes another, or ends."""

    def __init__(self) -> None:
        self._lasting: dict[tuple[str, str], StoredFinding] = {}
        """The last row of each finding that lasts, by code and subject."""

    def rows(self, cluster: str, found: Sequence[Finding], now: float) -> Iterator[StoredFinding]:
        """Yield the rows since the last call.

        Args:
            cluster: The key of the cluster in the store.
            found: The findings, the worst first.
            now: Epoch seconds.
        """
        before, self._lasting = self._lasting, {}
        for finding in found[:MAX_FINDINGS]:
            key = finding.code, finding.subject
            known = before.pop(key, None)
            if known is None or _is_outdated(known, finding, now):
                known = StoredFinding(
                    cluster,
                    finding.code,
                    finding.subject,
                    now if known is None else known.began_at,
                    None,
                    finding.severity,
                    finding.text,
                    finding.next_step,
                    now,
                )
                yield known
            self._lasting[key] = known
        for gone in before.values():
            yield structs.replace(gone, ended_at=now)


def _is_outdated(known: StoredFinding, finding: Finding, now: float) -> bool:
    """Return whether a finding has changed so that its row has to be replaced."""
    if known.severity != finding.severity:
        return True
    changed = (known.text, known.next_step) != (finding.text, finding.next_step)
    return changed and now - (known.described_at or 0.0) >= DESCRIBED_AGAIN_AFTER
