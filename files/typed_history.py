"""The filters and commands typed last, kept in the state folder for the next session."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from .files import locked, replace_file, state_folder
from .state_file import read_state

MAX_TEXTS: Final = 100
"""Texts of each kind that are kept."""
MAX_CHARACTERS: Final = 500
"""Longer texts are not kept."""

_Texts: TypeAlias = dict[str, list[str]]


class TypedHistory:
    """Typed texts by kind, the newest last. The file is read when one is first asked for."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._texts: _Texts | None = None
        self._added: list[tuple[str, str]] = []

    @property
    def path(self) -> Path:
        """The file."""
        return self._path or state_folder() / "history.json"

    def of(self, kind: str) -> Sequence[str]:
        """Return the texts of a kind, such as `commands`."""
        if self._texts is None:
            self._texts = self._read()
        return self._texts.get(kind, ())

    def add(self, kind: str, text: str) -> None:
        """Add a text as the newest of its kind; an earlier one like it is removed."""
        if text and len(text) <= MAX_CHARACTERS and text.isprintable():
            self.of(kind)
            assert self._texts is not None
            _append(self._texts, kind, text)
            self._added.append((kind, text))

    def save(self) -> None:
        """Add the new texts to the file, which other sessions may have changed meanwhile.

        A history that cannot be written is lost: it is not worth an error.
        """
        if not self._added:
            return
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path.parent):
                texts = self._read()
                for kind, text in self._added:
                    _append(texts, kind, text)
                replace_file(self.path, msgspec.json.encode(texts))
        self._added.clear()

    def _read(self) -> _Texts:
        return read_state(self.path, _Texts) or {}


def _append(texts: _Texts, kind: str, text: str) -> None:
    kept = texts.setdefault(kind, [])
    with suppress(ValueError):
        kept.remove(text)
    kept.append(text)
    del kept[:-MAX_TEXTS]
