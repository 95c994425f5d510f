"""Reads tracebacks: where in the app's own code a task failed, and with what exception.

Line numbers are not part of a location: the same failure moves whenever the file is edited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .frames import TracebackFrame, innermost_frame, own_frames

_MAX_SEARCHED: Final = 32_768
"""Characters searched at the end of a traceback, where the innermost frames are."""
MAX_TRACEBACK: Final = 200_000
"""Characters that `sections` reads: the end of a traceback, where the innermost frames are; of one
whose exception has a huge message, the beginning."""
_MAX_LENGTH: Final = 160
_FRAME: Final = re.compile(r'^[ |+]*File "(.+)", line (\d{1,9}), in ([^\n]+)$', re.MULTILINE)
_FRAME_START: Final = '\n  File "'
_HEADER: Final = "Traceback (most recent call last):"
_BEGIN: Final = re.compile(r"(?:  \+ Exception Group )?Traceback \(most recent call last\):\s*$")
_FRAME_LINE: Final = re.compile(r'\s*File "(.+)", line (\d{1,9})(?:, in (.*))?$')
_GROUP_MARGIN: Final = re.compile(r" +\| ?")
_LEFT_OUT: Final = re.compile(r"\.\.\. \[[\d,]+ characters\]$")
"""Where the middle of a long traceback was left out (`TaskStore`)."""
_LINKS: Final = {
    "The above exception was the direct cause of the following exception:": "caused by",
    "During handling of the above exception, another exception occurred:": "while handling",
}


@dataclass(frozen=True, slots=True)
class TracebackSection:
    """An exception with its frames: one of several if it was raised because of another."""

    exception: str
    """Class and message, which may have several lines; of a group also the exceptions in it."""
    frames: tuple[TracebackFrame, ...] = ()
    """The outermost call first."""
    own: frozenset[int] = frozenset()
    """The indexes of the frames in the app's own code."""
    innermost: int | None = None
    """The index of the frame that shows best where it was raised: `innermost_frame`."""
    link: str = ""
    """How the exception led to the one of the previous section: `caused by`, `while handling`."""

    @property
    def last_own(self) -> TracebackFrame | None:
        """The innermost frame of the app's own code."""
        return self.frames[max(self.own)] if self.own else None


def location_of(traceback: str | None, task: str | None = None) -> str | None:
    """Return where a task failed, as `images/tasks.py in download`: see `innermost_frame`.

    The last of several chained tracebacks counts. None without a frame.
    """
    return location_and_line(traceback, task)[0]


def location_and_line(
    traceback: str | None, task: str | None = None
) -> tuple[str | None, int | None]:
    """Return where a task failed, and the number of the line in its file; None without a frame.

    The frames are those of the final exception. If all of them are Celery's, as in a retry by
    `autoretry_for`, they are those of the exception before it.
    """
    text = traceback or ""
    frame = _innermost(text[-_MAX_SEARCHED:], task)
    if frame is None and len(text) > _MAX_SEARCHED:
        # The message of the exception is that long: look before it.
        frame = _innermost(text[: frames_end(text)][-_MAX_SEARCHED:], task)
    if frame is None:
        return None, None
    path, line, function = frame
    # File and parent folder are enough, and equal wherever a worker is installed.
    short = "/".join(path.replace("\\", "/").split("/")[-2:])
    return f"{short} in {function}"[:_MAX_LENGTH], int(line)


def _innermost(text: str, task: str | None) -> tuple[str, str, str] | None:
    """Return path, line and function of the frame that counts, of the last traceback with one."""
    index, end = None, len(text)
    frames: list[tuple[str, str, str]] = []
    while index is None and end > 0:
        begin = max(0, text.rfind(_HEADER, 0, end))
        frames = _FRAME.findall(text, begin, end)
        index = innermost_frame([(path, function) for path, _, function in frames], task)
        end = begin
    return None if index is None else frames[index]


def sections(traceback: str, task: str | None = None) -> tuple[TracebackSection, ...]:
    """Return the sections of a traceback, that of the final exception first.

    Each line is in one of them. A text that is not a traceback is the exception of a single one.
    """
    text = traceback.rstrip()
    if len(text) > MAX_TRACEBACK and frames_end(text) <= MAX_TRACEBACK // 2:
        text = text[:MAX_TRACEBACK]  # only the message is long
    elif len(text) > MAX_TRACEBACK:
        text = text[max(0, text.find(_FRAME_START, len(text) - MAX_TRACEBACK) + 1) :]
        text = text[-MAX_TRACEBACK:]
    reader = _Reader(task)
    for line in text.split("\n"):
        reader.read(line)
    reader.end()
    return tuple(reversed(reader.found))


def last_own_frame(traceback: str | None, task: str | None = None) -> TracebackFrame | None:
    """Return the innermost frame of the app's own code, of the last section that has one."""
    found = () if not traceback else sections(traceback, task)
    return next((each.last_own for each in found if each.own), None)


class _Reader:
    """Reads the lines of a traceback."""

    def __init__(self, task: str | None) -> None:
        self.found: list[TracebackSection] = []
        """Complete sections, in the order of the text."""
        self._task = task
        self._begin()

    def _begin(self) -> None:
        self._grouped = False
        self._left_out = False
        self._frames: list[tuple[str, int, str, list[str]]] = []
        self._exception: list[str] = []

    def read(self, line: str) -> None:
        """Read the next line."""
        if _BEGIN.match(line) is not None:
            self.end()
            self._begin()
            self._grouped = line.startswith(" ")
            return
        if self._grouped and (margin := _GROUP_MARGIN.match(line)) is not None:
            line = line[margin.end() :]
        frame = None if self._exception else _FRAME_LINE.match(line)
        if frame is not None:
            self._frames.append((frame[1], int(frame[2]), frame[3] or "", []))
            self._left_out = False
        elif self._frames and not self._exception and self._continues(line):
            self._frames[-1][3].append(line)
        else:
            self._exception.append(line)

    def _continues(self, line: str) -> bool:
        """Return whether a line belongs to the frame above it."""
        # After a gap the text begins anywhere in a line.
        self._left_out = self._left_out or _LEFT_OUT.match(line) is not None
        return self._left_out or not line or line[0] == " "

    def end(self) -> None:
        """End a section; its last line may link it with the next one."""
        lines = self._exception
        while lines and not lines[-1].strip():
            lines.pop()
        link = _LINKS.get(lines[-1].strip(), "") if lines else ""
        if link:
            lines.pop()
        exception = "\n".join(lines).strip("\n")
        if exception or self._frames:
            frames = tuple(
                TracebackFrame(path, line, function, _dedented(source))
                for path, line, function, source in self._frames
            )
            calls = [(frame.path, frame.function) for frame in frames]
            own = frozenset(own_frames(calls, self._task))
            innermost = innermost_frame(calls, self._task)
            self.found.append(TracebackSection(exception, frames, own, innermost, link))


def _dedented(source: list[str]) -> tuple[str, ...]:
    margin = min((len(line) - len(line.lstrip()) for line in source if line.strip()), default=0)
    return tuple(line[margin:].rstrip() for line in source)


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
