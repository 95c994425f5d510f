"""Results in a folder: one file for each task, as `celery/backends/filesystem.py` writes them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ...model.result_meta import ResultMeta
from ...settings import Settings
from .meta import from_payload
from .reader import ResultReader
from .redis import KEY, key_prefix
from .words import failure

_TRIES: Final = 5
_PAUSE: Final = 0.02
"""Seconds between two tries at a file that is being written: it is emptied first."""
_LONGEST_NAME: Final = 255
"""Bytes, on nearly every file system."""


class FileResults(ResultReader):
    """Reads `file:///folder`, which must be the workers' own, or the same one mounted here."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        local = "file://localhost/"
        path = url[len(local) - 1 :] if url.startswith(local) else url.removeprefix("file://")
        self._folder = Path(settings.workdir or ".") / path
        self._prefix = key_prefix(settings.result_backend_transport_options) + KEY

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return what is kept of these tasks, by id.

        Raises:
            ResultsError: There is no such folder, or it may not be read.
        """
        try:
            os.scandir(self._folder).close()
            found = ((id_, self._read(id_)) for id_ in ids if self._is_name(id_))
            return {id_: meta for id_, meta in found if meta is not None}
        except OSError as error:
            raise failure(error, self._url, self._settings) from error

    def close(self) -> None:
        """Do nothing: files are open only while they are read."""

    def _read(self, id_: str) -> ResultMeta | None:
        meta: ResultMeta | None = None
        for _ in range(_TRIES):
            try:
                payload = (self._folder / f"{self._prefix}{id_}").read_bytes()
            except FileNotFoundError:
                return None
            if payload:
                meta = from_payload(id_, payload)
                if meta.undecoded is None or meta.status is not None:
                    return meta
            time.sleep(_PAUSE)
        return meta

    def _is_name(self, id_: str) -> bool:
        """Tell whether a file of this folder can have this id in its name: ids may be anything."""
        name = os.fsencode(self._prefix + id_)
        return b"\0" not in name and os.fsencode(os.sep) not in name and len(name) <= _LONGEST_NAME
