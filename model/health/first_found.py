"""When findings began: those without a known beginning, and those older than this celtop."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from .finding import Finding

SETTLED_AFTER: Final = 60.0
"""Seconds after the start within which lasting findings are found: workers reply first."""
MAX_GAP: Final = 600.0
"""Seconds without a record after which a finding counts as a new one."""
TOLERANCE: Final = 5.0
"""Seconds before the start at which a beginning may still be that of the first observation."""

_Key: TypeAlias = tuple[str, str]


class FirstFound:
    """When each finding was first found, while it lasts; also by an earlier run."""

    def __init__(self) -> None:
        self._started_at: float | None = None
        self._times: dict[_Key, float] = {}
        """The beginnings that replace those of findings."""
        self._over: set[_Key] = set()
        """Findings of the earlier run that have ended since then."""

    def update(
        self,
        findings: Collection[Finding],
        now: float,
        known: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    ) -> tuple[Finding, ...]:
        """Return the findings at `now` (epoch seconds), those without a beginning with one.

        Args:
            findings: The findings.
            now: Epoch seconds.
            known: When findings of an earlier run began that had not ended, by code and subject.
        """
        if self._started_at is None:
            self._started_at = now
        before, self._times = self._times, {}
        for one in findings:
            key = one.code, one.subject
            since = before.get(key, now) if one.since is None else one.since
            if key not in self._over and self._is_from_start(since):
                since = min(since, known.get(one.code, {}).get(one.subject, since))
            if since != one.since:
                self._times[key] = since
        if known and now - self._started_at > SETTLED_AFTER:
            present = {(one.code, one.subject) for one in findings}
            lasted = {(code, subject) for code in known for subject in known[code]}
            self._over |= lasted - present
        return self.dated(findings)

    def dated(self, findings: Collection[Finding]) -> tuple[Finding, ...]:
        """Return findings with the beginnings of the latest update."""
        return tuple(map(self._dated, findings))

    def _dated(self, one: Finding) -> Finding:
        since = self._times.get((one.code, one.subject), one.since)
        if since == one.since:
            return one
        grew_at = one.grew_at
        if one.since is not None and grew_at is not None and grew_at <= one.since:
            grew_at = None  # it is the first measurement
        return msgspec.structs.replace(one, since=since, grew_at=grew_at)

    def _is_from_start(self, since: float) -> bool:
        """Return whether something was there when celtop was started: it may be older."""
        assert self._started_at is not None
        return -TOLERANCE <= since - self._started_at <= SETTLED_AFTER
