"""Reads tracebacks: where in the app's own code a task failed, and with what exception.

Line numbers are left out: the same failure moves whenever the file is edited.
"""

from __future__ import annotations

import re
from typing import Final

_MAX_SEARCHED: Final = 32_768
"""Characters searched at the end of a traceback, where the innermost frames are."""
_MAX_LENGTH: Final = 160
_FRAME: Final = re.compile(r'^[ |+]*File "(.+)", line \d+, in ([^\n]+)$', re.MULTILINE)
_FRAME_START: Final = '\n  File "'
_HEADER: Final = "Traceback (most recent call last):"
_LIBRARY: Final = re.compile(
    r"(site|dist)-packages[/\\]|[/\\]lib[/\\]python\d|[/\\]celery[/\\]app[/\\]trace\.py|^<"
)
_CELERY_CODE: Final = re.compile(r"[/\\](celery|billiard|kombu)[/\\]")


def is_library(path: str) -> bool:
    """Return whether a file belongs to Python or an installed package rather than the app."""
    return _LIBRARY.search(path) is not None


def location_of(traceback: str | None, task: str | None = None) -> str | None:
    """Return the innermost frame of the app's own code, as `images/tasks.py in download`.

    The last of several chained tracebacks counts. If no frame is the app's own (the app may itself
    be an installed package), it is the innermost frame of the task's package, with which its name
    usually begins, otherwise of any library but Celery. None if there is no such frame: with
    arguments that do not match, Celery's own call fails.
    """
    if not traceback:
        return None
    text = traceback[-_MAX_SEARCHED:]
    frames = _FRAME.findall(text, max(0, text.rfind(_HEADER)))
    own = [frame for frame in frames if not is_library(frame[0])]
    if not own and task is not None and "." in task:
        package = f"/{task.partition('.')[0]}/"
        own = [frame for frame in frames if package in frame[0].replace("\\", "/")]
    own = own or [frame for frame in frames if _CELERY_CODE.search(frame[0]) is None]
    if not own:
        return None
    path, function = own[-1]
    # File and parent folder are enough, and equal wherever a worker is installed.
    short = "/".join(path.replace("\\", "/").split("/")[-2:])
    return f"{short} in {function}"[:_MAX_LENGTH]


def frames_end(traceback: str) -> int:
    """Return where the innermost frame ends and the exception begins; 0 without frames.

    All that precedes is the same each time that the same code fails in the same way.
    """
    end = traceback.rfind(_FRAME_START) + 1
    while end and traceback.startswith("  ", end):
        end = traceback.find("\n", end) + 1
    return end


def exception_class(exception: str | None) -> str | None:
    """Return the class name in an exception's repr, or None without an exception."""
    if not exception:
        return None
    return " ".join(exception[:_MAX_SEARCHED].partition("(")[0].split())[:_MAX_LENGTH] or None
