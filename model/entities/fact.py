"""The state of a question to a worker, the broker or the result backend.

A value that no event reports is the answer to a question. It may be shown as a fact only if the
question was answered: nothing follows from a question that was never asked, or that failed.
"""

from __future__ import annotations

from typing import Final

import msgspec

from .fault import Fault


class Fact(msgspec.Struct, frozen=True, gc=False):
    """When a question was last asked, answered, and when it failed. Times are epoch seconds."""

    asked_at: float | None = None
    answered_at: float | None = None
    """When the latest answer was received; it may be older than a failure."""
    failed_at: float | None = None
    """When the latest attempt failed that was followed by no answer."""
    fault: Fault | None = None
    """Why it failed; None if the latest attempt that ended was answered."""

    def asked(self, at: float) -> Fact:
        """Return the fact after the question was asked at `at`."""
        return Fact(at, self.answered_at, self.failed_at, self.fault)

    def answered(self, at: float) -> Fact:
        """Return the fact after an answer was received at `at`."""
        return Fact(self.asked_at, at)

    def failed(self, at: float, fault: Fault) -> Fact:
        """Return the fact after an attempt failed at `at`."""
        return Fact(self.asked_at, self.answered_at, at, fault)

    @property
    def is_answered(self) -> bool:
        """Whether the latest attempt that ended was answered."""
        return self.answered_at is not None and self.fault is None

    @property
    def is_failed(self) -> bool:
        """Whether the latest attempt that ended failed."""
        return self.fault is not None

    def age(self, now: float) -> float | None:
        """Return the seconds since the latest answer; None if there is none."""
        return None if self.answered_at is None else max(0.0, now - self.answered_at)

    @property
    def reason(self) -> str:
        """Why there is no answer from the latest attempt, in a few words; empty if there is one."""
        if self.fault is not None:
            return self.fault.problem
        return "" if self.answered_at is not None else "no reply yet"


NEVER_ASKED: Final = Fact()
