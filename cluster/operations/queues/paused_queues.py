"""Remembers paused queues and how each worker consumed them, so that a later process can resume.

Celery itself records no pause: a restarted worker consumes its configured queues, and has lost
the settings of queues that were added by command.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from ....files.files import locked, replace_file, state_folder
from ....model.entities.queue import Pause
from ....model.entities.worker import Worker
from ....model.operations.commands import Consumer, PauseQueue
from ..audit import user_name

FILE_NAME: Final = "paused.json"


class PausedConsumer(Consumer, frozen=True, gc=False):
    """A consumer that was cancelled to pause its queue."""

    paused_at: float | None = None
    """Epoch seconds; None if an older celtop wrote it."""
    paused_by: str | None = None
    """The user."""
    drained: bool = False
    """Whether a drain of the worker cancelled it."""

    @property
    def consumer(self) -> Consumer:
        """How it consumed the queue."""
        return Consumer(**{name: getattr(self, name) for name in Consumer.__struct_fields__})


_Clusters: TypeAlias = dict[str, dict[str, tuple[PausedConsumer, ...]]]
"""Consumers by cluster and queue."""
_Content: TypeAlias = tuple[_Clusters, str | None]
"""The content of the file, and why it cannot be read; None if it can."""


def is_over(pause: PauseQueue, paused_at: float | None, workers: Mapping[str, Worker]) -> bool:
    """Return whether all paused workers have reported since then that they consume the queue.

    A restarted worker does so by itself. As long as one does not, all are resumed: it does no harm
    to the others, and their reported queues may be out of date.

    Args:
        pause: The queue and its consumers.
        paused_at: Epoch seconds; None if an older celtop paused it.
        workers: The workers by name.
    """

    def consumes(name: str) -> bool:
        worker = workers.get(name)
        if worker is None or (worker.fact("active_queues").answered_at or 0.0) < (paused_at or 0.0):
            return False  # a report from before the pause proves nothing
        return any(queue.name == pause.queue for queue in worker.queues or ())

    return all(consumes(one.worker) for one in pause.consumers)


class PausedQueues:
    """The file of paused queues, which all celtops of the user share. Safe to use from any thread.

    It is read again only after it has changed: each time it is replaced by a new file.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._given = path
        self._known: tuple[tuple[int, int, int], _Content] | None = None
        """What identifies the file that was read last, and its content."""

    @cached_property
    def path(self) -> Path:
        """The file; unless one was given, that of the state folder, which is looked up once."""
        return self._given or state_folder() / FILE_NAME

    def all(self, cluster: str) -> dict[str, PauseQueue]:
        """Return the paused queues of a cluster by name; empty if the file cannot be read."""
        consumers, _ = self._read()
        return {
            queue: PauseQueue(queue=queue, consumers=tuple(one.consumer for one in its))
            for queue, its in consumers.get(cluster, {}).items()
        }

    def pauses(self, cluster: str) -> dict[str, Pause]:
        """Return since when, and by whom, each queue of a cluster is paused."""
        consumers, _ = self._read()
        return {
            queue: Pause(
                tuple(one.worker for one in its),
                its[-1].paused_at,
                its[-1].paused_by,
                drained=all(one.drained for one in its),
            )
            for queue, its in consumers.get(cluster, {}).items()
            if its
        }

    @property
    def error(self) -> str | None:
        """Why the file cannot be read; None if it can, or does not exist."""
        return self._read()[1]

    def remember(self, cluster: str, pause: PauseQueue, *, drained: bool = False) -> None:
        """Add paused consumers; earlier settings of the same workers are replaced.

        Args:
            cluster: The cluster.
            pause: The queue, and how its workers consumed it.
            drained: Whether a drain of the workers cancelled the consumers.

        Raises:
            OSError: If the file cannot be written.
        """
        with self._locked():
            clusters, error = self._read()
            if error is not None:
                # Kept for the user, who may still read in it which queues were paused.
                self.path.replace(self.path.with_suffix(".broken"))
            queues = clusters.get(cluster, {})
            known = queues.get(pause.queue, ())
            at, user = time.time(), user_name()
            added = (
                PausedConsumer(
                    **msgspec.structs.asdict(one),
                    paused_at=at,
                    paused_by=user,
                    drained=drained,
                )
                for one in pause.consumers
            )
            merged = {one.worker: one for one in (*known, *added)}
            queues = {**queues, pause.queue: tuple(merged.values())}
            self._write({**clusters, cluster: queues})

    def forget(self, cluster: str, queue: str, workers: Collection[str]) -> None:
        """Remove paused consumers: they consume the queue again, or no longer exist.

        Raises:
            OSError: If the file cannot be written.
        """
        if queue not in self.all(cluster):
            return
        with self._locked():
            clusters, _ = self._read()
            known = clusters.get(cluster, {}).get(queue, ())
            kept = tuple(one for one in known if one.worker not in workers)
            if kept == known:
                return
            queues = {**clusters[cluster], queue: kept}
            queues = {name: its for name, its in queues.items() if its}
            clusters = {**clusters, cluster: queues}
            self._write({name: its for name, its in clusters.items() if its})

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.path.parent):
            yield

    def _read(self) -> _Content:
        """Return the content of the file, and why it cannot be read."""
        try:
            found = self.path.stat()
            identity = (found.st_ino, found.st_mtime_ns, found.st_size)
            known = self._known
            if known is None or known[0] != identity:
                content = msgspec.json.decode(self.path.read_bytes(), type=_Clusters), None
                known = self._known = identity, content
            return known[1]
        except FileNotFoundError:
            return {}, None
        except OSError as error:
            return {}, f"cannot read {self.path}: {error.strerror}"
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return {}, f"cannot read {self.path}, so paused queues are unknown: {error}"

    def _write(self, clusters: _Clusters) -> None:
        content = msgspec.json.format(msgspec.json.encode(clusters), indent=2) + b"\n"
        replace_file(self.path, content)
