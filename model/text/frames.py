"""Frames of tracebacks: whose code they are in, judged by the path of the file.

A traceback comes as text from another host, so a path is all there is. A frame of Python's standard
library or of Celery is never the app's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

Origin: TypeAlias = Literal["app", "installed", "celery", "standard"]
"""The app's own files, an installed package, Celery with kombu and billiard, or Python itself."""

_CACHE_SIZE: Final = 4_096
"""Paths whose origin is cached: failures repeat the same ones."""

_PACKAGES: Final = r"(?:^|[/\\])(?:site|dist)-packages[/\\]"
_CELERY: Final = re.compile(
    rf"{_PACKAGES}(?:celery|kombu|billiard|vine|amqp)[/\\.]"
    # Also of a checkout; a folder named `celery` may belong to the app.
    r"|[/\\]celery[/\\]app[/\\](?:trace|autoretry)\.py$"
)
_INSTALLED: Final = re.compile(rf"{_PACKAGES}|\.(?:whl|egg|pex)[/\\]")
_STANDARD: Final = re.compile(
    r"^<"  # frozen modules, and code without a file
    r"|(?:^|[/\\])lib(?:64)?[/\\](?:python|pypy)\d"
    r"|[/\\]lib-python[/\\]\d"
    r"|[/\\]python\d+\.zip[/\\]"
    r"|\\[^\\]*(?:[Pp]ython|conda)[^\\]*\\[Ll]ib\\"
)


@dataclass(frozen=True, slots=True)
class TracebackFrame:
    """One call in a traceback."""

    path: str
    line: int
    function: str
    """Empty for the location of a syntax error."""
    source: tuple[str, ...] = ()
    """The lines below it, without their indentation: source, and markers of a part of it."""

    @property
    def place(self) -> str:
        """The location as editors and linters write it: `path:line`."""
        return f"{self.path}:{self.line}"

    @property
    def short_path(self) -> str:
        """The path from the folder on that contains the package."""
        return short_path(self.path)


@lru_cache(_CACHE_SIZE)
def origin(path: str) -> Origin:
    """Return whose code a file is."""
    if _CELERY.search(path) is not None:
        return "celery"
    if _INSTALLED.search(path) is not None:
        return "installed"
    return "standard" if _STANDARD.search(path) is not None else "app"


def short_path(path: str) -> str:
    """Return the path of a library's file from the folder on that contains the library."""
    if path.startswith("<"):
        return path
    for pattern in (_INSTALLED, _STANDARD):
        # The last one: a virtual environment may be inside another folder of this name.
        for found in list(pattern.finditer(path))[-1:]:
            rest = path[found.end() :]
            # `lib/python3` is followed by the rest of the version.
            return rest if found[0][-1] in "/\\" else re.sub(r"^[^/\\]*[/\\]", "", rest)
    return path


def own_frames(frames: Sequence[tuple[str, str]], task: str | None = None) -> list[int]:
    """Return the indexes of the frames in the app's own code.

    They are those outside of libraries and those of the task's package, with which its name usually
    begins: the app may itself be installed.

    Args:
        frames: Path and function of each frame.
        task: The name of the task.
    """
    package = "" if task is None or "." not in task else task.partition(".")[0]
    return [
        number
        for number, (path, _) in enumerate(frames)
        if (origin(path) == "app" or (package and _is_in_package(path, package)))
    ]


def innermost_frame(frames: Sequence[tuple[str, str]], task: str | None = None) -> int | None:
    """Return the index of the frame that shows best where a task failed; None without one.

    It is the innermost of the app's own code; otherwise that of the task's function; otherwise the
    innermost of an installed package, or of Python. Never one of Celery: with arguments that do not
    match, its own call fails.
    """
    own = own_frames(frames, task)
    if own:
        return own[-1]
    others = [number for number, (path, _) in enumerate(frames) if origin(path) != "celery"]
    called = "" if task is None else task.rpartition(".")[2]
    installed = [number for number in others if origin(frames[number][0]) == "installed"]
    found = [number for number in installed if frames[number][1].rpartition(".")[2] == called]
    found = found or installed or others
    return found[-1] if found else None


def _is_in_package(path: str, package: str) -> bool:
    if origin(path) != "installed":
        return False
    short = short_path(path).replace("\\", "/")
    return short.startswith((f"{package}/", f"{package}."))
