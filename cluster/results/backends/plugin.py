"""Result backends of third parties: readers from the entry points `celtop.result_backends`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import msgspec

from ....model.entities.fault import Fault
from ....model.entities.result import ResultMeta
from ....settings import Settings
from ...connection.broker import hide
from ..search import Found, Put, ResultSearch
from .base import ResultReader, ResultsError

ENTRY_POINTS: Final = "celtop.result_backends"
CLOSE_TIMEOUT: Final = 0.5
"""Seconds to wait for a plug-in's reader to close; celtop must end in time."""
_MAX_REASON_LENGTH: Final = 300
"""Characters of a plug-in's own error text."""


def find_plugin(scheme: str) -> EntryPoint | None:
    """Return the entry point that is registered for a URL scheme; nothing is imported."""
    return next(iter(entry_points(group=ENTRY_POINTS, name=scheme)), None)


class PluginResults(ResultReader):
    """Reads through a plug-in, which is imported with the first read.

    Args:
        plugin: Its value is a factory that takes the URL and the settings, see `ResultReader`.
    """

    def __init__(self, plugin: EntryPoint, url: str, settings: Settings) -> None:
        self._plugin = plugin
        self._url = url
        self._settings = settings
        self._lock = threading.Lock()
        self._reader: ResultReader | None = None

    @property
    def unavailable(self) -> str | None:  # type: ignore[override]
        """Why the plug-in can never read the backend, in words; None if it can."""
        try:
            with self._failing():
                reason = None if self._reader is None else self._reader.unavailable
        except ResultsError as error:
            return str(error)
        return None if reason is None else str(reason)

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id."""
        with self._failing():
            found = self._open().read(ids)
            return {id_: _checked("read", meta) for id_, meta in found.items()}

    def recent(
        self, limit: int, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of finished tasks."""
        with self._failing():
            for block in self._open().recent(limit, stop=stop):
                yield tuple(_checked("recent", meta) for meta in block)

    def search(self, search: ResultSearch, put: Put, stop: threading.Event | None = None) -> Found:
        """Hand over the entries that match a query."""

        def checked(metas: tuple[ResultMeta, ...]) -> None:
            put(tuple(_checked("search", meta) for meta in metas))

        with self._failing():
            return self._open().search(search, checked, stop)

    def delete(self, metas: Sequence[ResultMeta]) -> int:
        """Delete entries; return how many were deleted."""
        with self._failing():
            return int(self._open().delete(metas))

    def close(self) -> None:
        """Close the plug-in's reader, also one that is still being made; wait only briefly."""
        closing = threading.Thread(target=self._close, name="celtop-plugin-close", daemon=True)
        closing.start()
        closing.join(CLOSE_TIMEOUT)

    def _close(self) -> None:
        with self._lock:
            reader, self._reader = self._reader, None
        if reader is not None:
            with contextlib.suppress(Exception):
                reader.close()

    def _open(self) -> ResultReader:
        with self._lock:
            if self._reader is None:
                reader = self._plugin.load()(self._url, self._settings)
                if not isinstance(reader, ResultReader):
                    raise TypeError(f"{self._plugin.value} returned no ResultReader")
                self._reader = reader
            return self._reader

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Turn an error of the plug-in in the block into a `ResultsError` that names it."""
        try:
            yield
        except ResultsError:
            raise
        except (Exception, SystemExit) as error:
            reason = " ".join(hide(str(error), self._url).split())[:_MAX_REASON_LENGTH]
            raise ResultsError(
                Fault(
                    "plugin",
                    f"The result backend plug-in {self._plugin.name} ({self._plugin.value}) failed:"
                    f" {type(error).__name__}: {reason}",
                    f"Report it to the authors of {self._package}",
                )
            ) from error

    @property
    def _package(self) -> str:
        package = self._plugin.dist
        return "the plug-in" if package is None else f"{package.name} {package.version}"


def _checked(method: str, meta: ResultMeta) -> ResultMeta:
    """Return an entry from a plug-in, whose fields have the types that the model relies on.

    Raises:
        TypeError: It is no `ResultMeta`.
        ValidationError: A field has another type.
    """
    if not isinstance(meta, ResultMeta):
        raise TypeError(f"{method}() returned {type(meta).__name__} instead of ResultMeta")
    return msgspec.convert(msgspec.structs.asdict(meta), ResultMeta)
