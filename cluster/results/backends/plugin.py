"""Result backends of third parties: readers from the entry points `celtop.result_backends`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from ....model.entities.fault import Fault
from ....model.entities.result import ResultMeta
from ....model.text.passwords import mask_url
from ....settings import Settings
from ...connection.broker import secrets_of
from .base import ResultReader, ResultsError

ENTRY_POINTS: Final = "celtop.result_backends"
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
        return None if self._reader is None else self._reader.unavailable

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id.

        Raises:
            ResultsError: The plug-in cannot be loaded, or it failed.
        """
        with self._failing():
            found = self._open().read(ids)
            for id_, meta in found.items():
                if not isinstance(meta, ResultMeta):
                    raise TypeError(f"read() returned {type(meta).__name__} for {id_}")
            return found

    def wait(self, id_: str, timeout: float, stop: threading.Event) -> ResultMeta | None:
        """Wait for a task to finish and return its entry; None at the timeout.

        Raises:
            ResultsError: The plug-in cannot be loaded, or it failed.
        """
        with self._failing():
            return self._open().wait(id_, timeout, stop)

    def recent(
        self, limit: int, since: float | None = None, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of finished tasks.

        Raises:
            ResultsError: The plug-in cannot be loaded, or it failed.
        """
        with self._failing():
            yield from self._open().recent(limit, since, stop)

    def close(self) -> None:
        """Close the plug-in's reader."""
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
        except Exception as error:
            reason = str(error)
            for secret in secrets_of(self._url):
                reason = reason.replace(secret, "***")
            reason = " ".join(mask_url(reason).split())[:_MAX_REASON_LENGTH]
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
