"""When findings without a known beginning were first found."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from .finding import Finding


class FirstFound:
    """When each finding was first found, while it lasts."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], float] = {}

    def update(self, findings: Collection[Finding], now: float) -> tuple[Finding, ...]:
        """Return the findings at `now` (epoch seconds), those without a beginning with one."""
        before, self._times = self._times, {}
        for one in findings:
            if one.since is None:
                key = one.code, one.subject
                self._times[key] = before.get(key, now)
        return self.dated(findings)

    def dated(self, findings: Collection[Finding]) -> tuple[Finding, ...]:
        """Return findings, those without a beginning with that of the latest update."""
        return tuple(
            msgspec.structs.replace(one, since=self._times.get((one.code, one.subject)))
            if one.since is None
            else one
            for one in findings
        )
