"""Reads the JSON files in the state folder, which celtop itself writes.

A file that is damaged is moved aside, so that the next change does not overwrite what is left of
it, and a message reports it.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from .files import read_file

MAX_BYTES: Final = 4 << 20
DAMAGED_SUFFIX: Final = ".damaged"

T = TypeVar("T")

_messages: Final[deque[str]] = deque(maxlen=20)


def read_state(path: Path, kind: type[T]) -> T | None:
    """Return the decoded content of a file; None if there is none, or it cannot be read."""
    try:
        content = read_file(path, MAX_BYTES)
    except OSError:
        return None
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        aside = path.with_name(path.name + DAMAGED_SUFFIX)
        with suppress(OSError):
            path.replace(aside)
            _messages.append(f"{path} is damaged ({error}). It was moved to {aside.name}")
    return None


def take_messages() -> list[str]:
    """Return the messages about damaged files that were not taken yet; from any thread."""
    taken = []
    with suppress(IndexError):
        while True:
            taken.append(_messages.popleft())
    return taken
