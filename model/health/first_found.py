"""When findings were first found of which the model does not know when they began."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from .finding import Finding


class FirstFound:
    """The times of first sight, while a finding lasts."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], float] = {}

    def update(self, findings: Iterable[Finding], now: float) -> tuple[Finding, ...]:
        """Return the findings at `now` (epoch seconds), those without a beginning with one."""
        before, self._times = self._times, {}
        for one in findings:
            if one.since is None:
                key = one.code, one.subject
                self._times[key] = before.get(key, now)
        return self.dated(findings)

    def dated(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return findings, those without a beginning with that of the latest update."""
        return tuple(
            msgspec.structs.replace(one, since=self._times.get((one.code, one.subject)))
            if one.since is None
            else one
            for one in findings
        )
