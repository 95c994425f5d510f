"""Writes a recording in a thread, a block each second: a kill loses at most that second."""

from __future__ import annotations

import copy
import errno
import os
import threading
from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from ..files.files import OWNER_ONLY
from ..model.ingest.redaction import Redaction
from ..model.observations import HistoryRead, Observation
from ..model.records.record import END, TICK, encode_mark, encode_record
from .compression import Compressor, codec_of
from .header import Header

FLUSH_INTERVAL: Final = 1.0
"""Seconds between two blocks."""
BLOCK_BYTES: Final = 1 << 18
"""Uncompressed bytes after which a block is written before."""
MAX_WAITING: Final = 200_000
"""Records that may wait to be written; with more, the disk is too slow and the recording ends."""


class Recorder(threading.Thread):
    """Records what a session applies to its model: give its `put` to `Session.tap`.

    Args:
        path: The file to write; it must not exist.
        header: The first line.
        redaction: Masks the observations, besides passwords in URLs.
        max_bytes: The size at which the recording ends.

    Raises:
        OSError: The file cannot be created.
        ValueError: The name asks for a codec that is not installed.
    """

    def __init__(self, path: Path, header: Header, redaction: Redaction, max_bytes: int) -> None:
        super().__init__(name="recorder", daemon=True)
        self.written = 0
        """Bytes in the file."""
        self.records = 0
        """Records in the file."""
        self.is_full = False
        """Whether it has ended because of `max_bytes`."""
        self.fault: str | None = None
        """Why it has ended early; None if it has not."""
        self._redaction = redaction
        self._max_bytes = max_bytes - min(BLOCK_BYTES, max_bytes // 4)
        self._waiting: deque[tuple[float, Observation | None]] = deque()
        self._stopping = threading.Event()
        self._ended_at: float | None = None
        self._compressor = Compressor(codec_of(path.name))
        # A link in a folder of others is not followed.
        self._handle = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY
        )
        try:
            self._write(self._compressor.block(msgspec.json.encode(header) + b"\n"))
        except OSError:
            os.close(self._handle)
            path.unlink()
            raise

    def put(self, now: float, observation: Observation | None) -> None:
        """Record an observation, or None for a tick of the clock, applied at `now`."""
        if self.fault is None and not self.is_full:
            if isinstance(observation, HistoryRead):
                # The model goes on with the same objects, while they wait here to be written.
                tasks = tuple(copy.copy(task) for task in observation.tasks)
                observation = msgspec.structs.replace(observation, tasks=tasks)
            self._waiting.append((now, observation))

    @property
    def ended(self) -> bool:
        """Whether nothing more is recorded."""
        return self.fault is not None or self.is_full

    def run(self) -> None:
        """Write until `stop`, the limit or an error."""
        try:
            while not self._stopping.wait(FLUSH_INTERVAL) and not self.ended:
                self._write_waiting()
            if self.fault is None:
                self._write_waiting()
                self._end()
        except OSError as error:
            self.fault = os.strerror(error.errno or errno.EIO)
        except Exception as error:
            self.fault = f"an observation cannot be written: {error!r}"
        finally:
            self._waiting.clear()
            os.close(self._handle)

    def stop(self, now: float, timeout: float = 5.0) -> None:
        """Write what is waiting and the end of the recording, within `timeout` seconds."""
        self._ended_at = now
        self._stopping.set()
        self.join(timeout)

    def _write_waiting(self) -> None:
        if len(self._waiting) > MAX_WAITING:
            self.fault = "it is written too slowly"
            return
        block, count = bytearray(), 0
        while self._waiting and not self.is_full:
            at, observation = self._waiting.popleft()
            if observation is None:
                block += encode_mark(at, TICK)
            else:
                block += encode_record(at, observation, self._redaction)
            count += 1
            if len(block) >= BLOCK_BYTES or not self._waiting:
                self._write(self._compressor.block(bytes(block)))
                self.records += count
                block, count = bytearray(), 0
                self.is_full = self.written >= self._max_bytes
                self._ended_at = at if self.is_full else self._ended_at

    def _end(self) -> None:
        at = self._ended_at
        assert at is not None, "ended without `stop`"
        self._write(self._compressor.block(encode_mark(at, END)) + self._compressor.end())

    def _write(self, data: bytes) -> None:
        while data:
            written = os.write(self._handle, data)
            self.written += written
            data = data[written:]
