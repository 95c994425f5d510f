"""The port of the history: what every driver can do.

A store object belongs to one thread. All methods may block: only `writing.writer` and
`reading.reader`, which have threads of their own, call them. Writes are idempotent, so that a batch
whose outcome is unknown is written again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from .rows import (
    Batch,
    ClusterSummary,
    Cursor,
    FailureRow,
    Gap,
    Pruned,
    Rollup,
    StoredFinding,
    StoredLog,
    StoredMark,
    StoredObservation,
    StoredOperation,
    StoredTask,
    SubjectKind,
    TaskCount,
    TaskPage,
    TypeRow,
)

if TYPE_CHECKING:
    from ..model.query.language import Query


class StoreError(Exception):
    """The store cannot be opened, read or written; the message has the reason and the advice."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient
        """Whether it may work again later: a lost connection, a locked file, a full disk."""


class CorruptStoreError(StoreError):
    """The file is no database, or a damaged one; it has to be moved aside."""


class NewerStoreError(StoreError):
    """A newer celtop has changed the schema, which this one cannot read."""


class NoHistoryError(StoreError):
    """A store that is only read does not exist yet."""


class HistoryStore(Protocol):
    """A store of the history of one or more clusters."""

    @property
    def location(self) -> str:
        """The file's path, or the URL without its password."""

    def lead(self, cluster: str) -> bool:
        """Become the one that writes a cluster's history; return whether this store is.

        It stays so until it is closed, its process ends, or its connection is lost: ask before each
        batch. Then another celtop on the same history takes its place. Raises: StoreError.
        """

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction. Raises: StoreError."""

    def prune(self, now: float, max_age: float, max_bytes: int) -> Pruned:
        """Delete one slice of what is too old or too much. Raises: StoreError.

        Args:
            now: Epoch seconds.
            max_age: Seconds after which rows are deleted.
            max_bytes: Bytes that the store may take; the oldest rows go first.
        """

    def size(self) -> int:
        """Return the bytes that the data takes; 0 if that is unknown. Raises: StoreError."""

    def written_at(self, cluster: str) -> float | None:
        """Return when a cluster was last written, by its writer's clock; None if never.

        Raises: StoreError.
        """

    def written_steadily_at(self) -> float | None:
        """Return when any cluster was last written; None if never.

        If the clock jumped ahead less than a day of its time before that, it is when it jumped: it
        may be wrong.

        Raises: StoreError.
        """

    def tasks(
        self, cluster: str, query: Query, now: float, limit: int, before: Cursor | None = None
    ) -> TaskPage:
        """Return the newest tasks that match a filter, in at most about 50 ms. Raises: StoreError.

        Args:
            cluster: The cluster.
            query: The filter; decided as the screen does, row by row, after what SQL can decide.
            now: Epoch seconds, for terms such as `finished:<1d`.
            limit: Rows at most.
            before: Where the page before ended.
        """

    def count(
        self, cluster: str, query: Query, now: float, before: Cursor | None = None
    ) -> TaskCount:
        """Return how many tasks match a filter, in at most about 50 ms. Raises: StoreError.

        Args:
            cluster: The cluster.
            query: The filter.
            now: Epoch seconds.
            before: Where counting was cut short before: the rest is counted.
        """

    def task(self, cluster: str, prefix: str) -> Sequence[StoredTask]:
        """Return the tasks whose id begins with a text, at most two. Raises: StoreError."""

    def workflow(self, cluster: str, root_id: str, limit: int) -> Sequence[StoredTask]:
        """Return the tasks of a workflow. Raises: StoreError."""

    def series(
        self, cluster: str, kind: SubjectKind, name: str, start: float, end: float, step: int
    ) -> Mapping[str, Sequence[float]]:
        """Return the values of a subject in equal steps, oldest first; NaN is unknown.

        `step` is a multiple of `MINUTE`. Counts are summed, other values averaged.
        Raises: StoreError.
        """

    def rollups(self, cluster: str, minute: int) -> Sequence[Rollup]:
        """Return the rollups of one minute. Raises: StoreError."""

    def minutes_around(self, cluster: str, minute: int) -> tuple[int | None, int | None]:
        """Return the last recorded minute up to one, and the first after it; None if there is none.

        Raises: StoreError.
        """

    def latest_rollups(self, cluster: str, since: float) -> Sequence[Rollup]:
        """Return the newest rollup of each subject since a time, in epoch seconds.

        Its counts are of all minutes since then. Raises: StoreError.
        """

    def failures(
        self, cluster: str, start: float, end: float, steps: int, limit: int
    ) -> Sequence[FailureRow]:
        """Return the groups of failures in a window, the latest first. Raises: StoreError."""

    def failed(
        self, cluster: str, failure: str, start: float, end: float, limit: int
    ) -> Sequence[StoredTask]:
        """Return the latest tasks of a group of failures in a window. Raises: StoreError."""

    def types(self, cluster: str, start: float, end: float) -> Sequence[TypeRow]:
        """Return what the task types did in a window, by name. Raises: StoreError."""

    def marks(self, cluster: str, start: float, end: float) -> Sequence[StoredMark]:
        """Return the marks of a window, oldest first. Raises: StoreError."""

    def findings(self, cluster: str, start: float, end: float) -> Sequence[StoredFinding]:
        """Return the findings that lasted into a window, oldest first. Raises: StoreError."""

    def operations(self, cluster: str, target: str, limit: int) -> Sequence[StoredOperation]:
        """Return the latest operations, on one target unless it is empty. Raises: StoreError."""

    def log(self, cluster: str, start: float, end: float, limit: int) -> Sequence[StoredLog]:
        """Return the newest lines of a window, oldest first. Raises: StoreError."""

    def gaps(self, cluster: str, start: float, end: float) -> Sequence[Gap]:
        """Return the times of a window in which nothing was recorded. Raises: StoreError.

        The time before the first run is not one of them.
        """

    def observations(self, cluster: str, since: float) -> Sequence[StoredObservation]:
        """Return the latest observations written after a time, oldest first. Raises: StoreError."""

    def clusters(self) -> Sequence[ClusterSummary]:
        """Return the clusters by name. Raises: StoreError."""

    def wait_for_news(self, cluster: str, timeout: float) -> bool:
        """Wait until another celtop has written a cluster; return whether one has.

        The first call returns at once. Nothing else can be done with the store meanwhile: use one
        of its own. Raises: StoreError.
        """

    def close(self) -> None:
        """Release the file or the connection; the store cannot be used any longer."""
