"""Which queues were paused, and how each worker consumed them, for a later process to resume.

Celery itself remembers no pause. A worker that restarts consumes what it was started with, and one
that was told to consume a queue knows nothing any more of how it did.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from ...files import replace_file, state_folder
from ...model.entities.worker import Worker
from ...model.operations.commands import Consumer, PauseQueue
from ...model.text.passwords import mask_url
from ..connection.broker import BrokerConnection

FILE_NAME: Final = "paused.json"

_Clusters: TypeAlias = dict[str, dict[str, tuple[Consumer, ...]]]
"""Consumers by cluster and queue."""
_lock = threading.Lock()


def identity(broker: BrokerConnection) -> str:
    """Return what tells one cluster from another: its broker without passwords, its names there."""
    settings = broker.settings
    parts = (mask_url(settings.broker_url), settings.control_exchange, broker.key_prefix)
    return " ".join(part for part in parts if part)


def is_over(pause: PauseQueue, workers: Mapping[str, Worker]) -> bool:
    """Tell whether all whom a pause concerns say that they consume the queue again.

    One that was restarted does so without being told. As long as one does not, all are to be
    resumed: it does no harm where it is needless, and what is known of a worker may be old.

    Args:
        pause: As it is remembered.
        workers: What is known of workers, by name.
    """

    def consumes(name: str) -> bool:
        told = workers[name].queues if name in workers else None
        return any(queue.name == pause.queue for queue in told or ())

    return all(consumes(one.worker) for one in pause.consumers)


class PausedQueues:
    """The file of paused queues. Safe to use from any thread; the last of two processes wins.

    Args:
        path: Where it is, or shall be; None is its place in the state folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder() / FILE_NAME

    def all(self, cluster: str) -> dict[str, PauseQueue]:
        """Return what is paused in a cluster, by queue; empty if the file cannot be read."""
        consumers, _ = self._read()
        return {
            queue: PauseQueue(queue=queue, consumers=its)
            for queue, its in consumers.get(cluster, {}).items()
        }

    @property
    def trouble(self) -> str | None:
        """What is wrong with the file, in words; None if it is in order or not there."""
        return self._read()[1]

    def remember(self, cluster: str, pause: PauseQueue) -> None:
        """Add consumers to what is paused; what is known of the same workers is replaced.

        Raises:
            OSError: If the file cannot be written.
        """
        with _lock:
            clusters, trouble = self._read()
            if trouble is not None:
                # Not ours to throw away: somebody may still read in it what was paused.
                self.path.replace(self.path.with_suffix(".broken"))
            queues = clusters.get(cluster, {})
            known = queues.get(pause.queue, ())
            merged = {one.worker: one for one in (*known, *pause.consumers)}
            queues = {**queues, pause.queue: tuple(merged.values())}
            self._write({**clusters, cluster: queues})

    def forget(self, cluster: str, queue: str, workers: Collection[str]) -> None:
        """Take workers from what is paused: they consume the queue again, or are gone for good.

        Raises:
            OSError: If the file cannot be written.
        """
        with _lock:
            clusters, _ = self._read()
            known = clusters.get(cluster, {}).get(queue, ())
            kept = tuple(one for one in known if one.worker not in workers)
            if kept == known:
                return
            queues = {**clusters[cluster], queue: kept}
            queues = {name: its for name, its in queues.items() if its}
            clusters = {**clusters, cluster: queues}
            self._write({name: its for name, its in clusters.items() if its})

    def _read(self) -> tuple[_Clusters, str | None]:
        """Return what the file holds, and what is wrong with it."""
        try:
            return self._decode(self.path.read_bytes())
        except FileNotFoundError:
            return {}, None
        except OSError as error:
            return {}, f"{self.path} cannot be read: {error.strerror}"

    def _decode(self, content: bytes) -> tuple[_Clusters, str | None]:
        try:
            return msgspec.json.decode(content, type=_Clusters), None
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return {}, f"{self.path} is broken ({error}): it is not known what was paused"

    def _write(self, clusters: _Clusters) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = msgspec.json.format(msgspec.json.encode(clusters), indent=2) + b"\n"
        replace_file(self.path, content)
