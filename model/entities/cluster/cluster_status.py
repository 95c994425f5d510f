"""The status of a cluster: a row of the list of clusters."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from ..broker import BrokerPhase

Word: TypeAlias = BrokerPhase | Literal["recorded", "not recorded"]
"""The connection to the cluster that is monitored here; of the others, whether a celtop writes
their history now."""

RECORDED_WITHIN: Final = 30.0
"""Seconds since its last write after which a celtop no longer counts as writing."""


class ClusterStatus(msgspec.Struct, frozen=True):
    """One cluster. Numbers that are unknown, or of a cluster that is not recorded, are None."""

    name: str
    state: Word
    is_current: bool = False
    """Whether it is the one that is monitored here."""
    broker: str = ""
    """The URL of its broker without the password; empty if the config file has none."""
    at: float | None = None
    """When this was known, epoch seconds; None if it was never recorded."""
    workers: int | None = None
    """Online workers."""
    waiting: int | None = None
    """Messages waiting in its queues."""
    runnable_age: float | None = None
    """Seconds that the first message that may run now has been waiting."""
    failed_per_min: float | None = None
    errors: int | None = None
    """Findings of the severity `error`."""
    warnings: int | None = None

    @property
    def is_faulty(self) -> bool:
        """Whether it needs attention."""
        return bool(self.errors) or self.state in ("lost", "blocked")
