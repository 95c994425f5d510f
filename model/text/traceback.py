"""Where in the app's own code a task failed, read from its traceback.

Line numbers are left out: the same fault moves with each edit of the file.
"""

from __future__ import annotations

import re
from typing import Final

_MAX_SEARCHED: Final = 32_768
"""Characters at the end of a traceback that are looked at: there the innermost frames are."""
_MAX_LENGTH: Final = 160
_FRAME: Final = re.compile(r'^[ |+]*File "(.+)", line \d+, in ([^\n]+)$', re.MULTILINE)
_HEADER: Final = "Traceback (most recent call last):"
_LIBRARY: Final = re.compile(
    r"(site|dist)-packages[/\\]|[/\\]lib[/\\]python\d|[/\\]celery[/\\]app[/\\]trace\.py|^<"
)
_CELERY_CODE: Final = re.compile(r"[/\\](celery|billiard|kombu)[/\\]")


def is_library(path: str) -> bool:
    """Return whether a file belongs to Python or to what is installed, not to the app."""
    return _LIBRARY.search(path) is not None


def location_of(traceback: str | None, task: str | None = None) -> str | None:
    """Return the innermost frame of the app's own code, as `images/tasks.py in download`.

    Where no frame is the app's own, as of an app that is itself installed, it is the innermost
    one of the task's package, and else of any library but Celery.

    Args:
        traceback: As Python writes it; of several that led to each other the last counts.
        task: The task's name, which mostly begins with its package.

    Returns:
        None where nothing tells, as of arguments that do not fit: Celery's own call fails then.
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
    # The folder above tells enough, and is the same wherever a worker is installed.
    short = "/".join(path.replace("\\", "/").split("/")[-2:])
    return f"{short} in {function}"[:_MAX_LENGTH]


def exception_class(exception: str | None) -> str | None:
    """Return an exception's class, out of its repr; None where there is none."""
    if not exception:
        return None
    return " ".join(exception[:_MAX_SEARCHED].partition("(")[0].split())[:_MAX_LENGTH] or None
