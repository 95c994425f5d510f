"""Results in a folder, one file per task, as in `celery/backends/filesystem.py`."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from ....files.files import read_file
from ....model.entities.result import ResultMeta
from ....settings import Settings
from ..errors import failure
from .base import RECENT_BLOCK_SIZE, ResultReader, newest_first
from .decode import MAX_RESULT_BYTES, from_payload, without_large_result
from .redis import KEY_PREFIX, key_prefix

_READ_ATTEMPTS: Final = 5
_RETRY_DELAY: Final = 0.02
"""Seconds between two reads of a file that is being written, which truncates it first."""
_MAX_FILES: Final = 200_000
_MAX_NAME_BYTES: Final = 255
"""Maximum length of a file name on almost every file system."""


class FileResults(ResultReader):
    """Reads `file:///folder`, which must be the workers' folder or a mount of it."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        local = "file://localhost/"
        path = url[len(local) - 1 :] if url.startswith(local) else url.removeprefix("file://")
        self._folder = Path(settings.workdir or ".") / path
        self._prefix = key_prefix(settings.result_backend_transport_options) + KEY_PREFIX

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id; of several tasks, without large results."""
        decode = from_payload if len(ids) == 1 else without_large_result
        try:
            os.scandir(self._folder).close()
            found = ((id_, self._read(id_, decode)) for id_ in ids if self._is_name(id_))
            return {id_: meta for id_, meta in found if meta is not None}
        except OSError as error:
            raise failure(error, self._url, self._settings) from error

    def recent(
        self, limit: int, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of finished tasks, the last written first."""
        try:
            ids = self._newest(limit)
        except OSError as error:
            raise failure(error, self._url, self._settings) from error
        for start in range(0, len(ids), RECENT_BLOCK_SIZE):
            if stop is not None and stop.is_set():
                return
            block = self.read(ids[start : start + RECENT_BLOCK_SIZE])
            yield from newest_first(list(block.values()), RECENT_BLOCK_SIZE)

    def close(self) -> None:
        """Do nothing: files are only open while they are read."""

    def _newest(self, limit: int) -> list[str]:
        """Return the ids of the files that were written last, the newest first."""
        found: list[tuple[float, str]] = []
        with os.scandir(self._folder) as files:
            for file in itertools.islice(files, _MAX_FILES):
                if file.name.startswith(self._prefix):
                    with contextlib.suppress(FileNotFoundError):
                        status = file.stat()
                        if status.st_size <= MAX_RESULT_BYTES:
                            found.append((status.st_mtime, file.name[len(self._prefix) :]))
        return [id_ for _, id_ in heapq.nlargest(limit, found)]

    def _read(
        self, id_: str, decode: Callable[[str, bytes], ResultMeta] = from_payload
    ) -> ResultMeta | None:
        meta: ResultMeta | None = None
        for _ in range(_READ_ATTEMPTS):
            try:
                payload = read_file(self._folder / f"{self._prefix}{id_}")
            except FileNotFoundError:
                return None
            if payload:
                meta = decode(id_, payload)
                if meta.undecoded is None or meta.status is not None:
                    return meta
            time.sleep(_RETRY_DELAY)
        return meta

    def _is_name(self, id_: str) -> bool:
        """Return whether a file name can contain this id: an id may be any text."""
        name = os.fsencode(self._prefix + id_)
        return (
            b"\0" not in name and os.fsencode(os.sep) not in name and len(name) <= _MAX_NAME_BYTES
        )
