"""A store that cannot be written for a while, and what the user is shown meanwhile."""

from __future__ import annotations

from celtop.history.rows import Batch, Pruned
from celtop.history.store import StoreError


class Reports(list[tuple[str, str]]):
    """What the user was told."""

    def __call__(self, level: str, text: str, problem: str | None) -> None:
        assert (problem is None) is (level != "error")
        self.append((level, text))


class FlakyStore:
    """A store whose disk is full until a test frees it."""

    def __init__(self) -> None:
        self.full = True
        self.attempts = 0
        self.written: list[Batch] = []

    def lead(self, cluster: str) -> bool:
        return True

    def write(self, batch: Batch) -> None:
        self.attempts += 1
        if self.full:
            raise StoreError("Cannot write the history: the disk is full.", transient=True)
        self.written.append(batch)

    def prune(self, now: float, max_age: float, max_bytes: int) -> Pruned:
        return Pruned(0, False, 0)

    def written_steadily_at(self) -> float | None:
        return None

    def close(self) -> None:
        pass
