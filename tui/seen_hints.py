"""The hints that were shown, remembered across runs."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..files.files import replace_file, state_folder
from ..files.state_file import read_state

FILE_NAME: Final = "hints.json"


class SeenHints:
    """The ids of the hints that were shown.

    Args:
        path: Their file; None shows no hints at all.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._ids: set[str] | None = None

    @classmethod
    def of_user(cls) -> SeenHints:
        """Return those of the user who runs celtop."""
        return cls(state_folder() / FILE_NAME)

    def is_new(self, hint: str) -> bool:
        """Return whether a hint is still to be shown."""
        if self._path is None:
            return False
        if self._ids is None:
            self._ids = set(read_state(self._path, list[str]) or ())
        return hint not in self._ids

    def add(self, hint: str) -> None:
        """Remember a hint; without a folder to write to, until the end of this run only."""
        if self._path is None or not self.is_new(hint) or self._ids is None:
            return
        self._ids.add(hint)
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._path, json.dumps(sorted(self._ids)).encode())
