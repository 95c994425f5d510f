"""The lines of a traceback as it is read: the exception first, then the innermost call.

Frames in the app's own code have their source; those of libraries are folded into one line each.
All text is made safe to print.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rich.cells import cell_len

from ..model.text.frames import TracebackFrame, short_path
from ..model.text.sanitize import visible, visible_lines
from ..model.text.traceback import MAX_TRACEBACK, TracebackSection, sections
from .glyphs import UNICODE, Glyphs
from .table.cells import Cell
from .wrapping import wrap

LineKind: TypeAlias = Literal["exception", "link", "own", "library", "source", "pointer", "note"]

CONTINUATION: Final = "  "
"""The indentation of the further lines of an exception that is wrapped."""
SOURCE_INDENT: Final = "    "
MIN_PATH: Final = 12
"""Cells of a path that are shown in any case."""


@dataclass(frozen=True, slots=True)
class TracebackLine:
    """One line of text."""

    text: str
    kind: LineKind
    frame: TracebackFrame | None = None
    """The call that it belongs to."""
    own: bool = False
    """Whether the call is shown with its source also while libraries are folded: it is the app's,
    or shows best where an exception without such calls was raised."""


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line on the screen: a part of a line of text."""

    line: int
    """Its index among the lines of text."""
    start: int
    """Where the part begins in the line of text."""
    margin: int
    """Characters before the part."""
    parts: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """What is drawn."""
        return "".join(text for text, _ in self.parts)


def traceback_lines(text: str, task: str | None = None) -> list[TracebackLine]:
    """Return the lines of a traceback.

    Args:
        text: The traceback, or any other text.
        task: The name of the task, by which the code of an installed app is recognized.
    """
    found: list[TracebackLine] = []
    # As Python prints it, so that only a newline ends a line.
    parts = sections(text.replace("\r\n", "\n"), task)
    owned = any(section.own for section in parts)
    for number, section in enumerate(parts):
        if number:
            found.append(TracebackLine("", "note"))
            found.append(TracebackLine(section.link or "before that", "link"))
        found += _section_lines(section, section.own if owned else {section.innermost})
    if len(text) > MAX_TRACEBACK:
        left_out = f"[{len(text) - MAX_TRACEBACK:,} more characters]"
        found.append(TracebackLine(left_out, "note"))
    return found


def _section_lines(
    section: TracebackSection, expanded: Collection[int | None]
) -> Iterator[TracebackLine]:
    for line in visible_lines(section.exception) if section.exception else ():
        yield TracebackLine(line, "exception")
    for number in reversed(range(len(section.frames))):
        frame = section.frames[number]
        kind: LineKind = "own" if number in section.own else "library"
        own = number in expanded
        yield TracebackLine(_heading(frame, kind), kind, frame, own)
        for source in frame.source:
            for line in visible_lines(source):
                pointer = not line.strip(" ~^")
                yield TracebackLine(line, "pointer" if pointer else "source", frame, own)


def _heading(frame: TracebackFrame, kind: LineKind) -> str:
    path = frame.path if kind == "own" else short_path(frame.path)
    return f"{visible(path)}:{frame.line}{_function(frame)}"


def _function(frame: TracebackFrame) -> str:
    return f" in {visible(frame.function)}" if frame.function else ""


def draw(
    lines: Sequence[TracebackLine], width: int, *, opened: bool = False, glyphs: Glyphs = UNICODE
) -> list[DrawnLine]:
    """Return the lines on the screen: exceptions are wrapped, and paths shortened, to the width.

    Args:
        lines: The lines of text.
        width: In cells.
        opened: Whether the frames of libraries have their source too.
        glyphs: The characters to draw with.
    """
    found: list[DrawnLine] = []
    for number, line in enumerate(lines):
        shown = opened or line.own
        if line.kind in ("own", "library"):
            fold = glyphs.tree_open if shown else glyphs.tree_closed
            found.append(_drawn_heading(number, line, f"{fold} ", width, glyphs))
        elif line.frame is not None:
            if shown:
                style = "bad" if line.kind == "pointer" else "text" if line.own else "muted"
                parts = ((SOURCE_INDENT, "text"), (line.text, style))
                found.append(DrawnLine(number, 0, len(SOURCE_INDENT), parts))
        elif line.kind == "exception":
            for start, end in wrap(line.text, width, len(CONTINUATION), fill=True):
                margin = CONTINUATION if start else ""
                part = (line.text[start:end], "error")
                found.append(DrawnLine(number, start, len(margin), ((margin, "text"), part)))
        else:
            found.append(DrawnLine(number, 0, 0, ((line.text, "muted"),)))
    return found


def _drawn_heading(
    number: int, line: TracebackLine, fold: str, width: int, glyphs: Glyphs
) -> DrawnLine:
    assert line.frame is not None
    own, function = line.kind == "own", _function(line.frame)
    place = line.text.removesuffix(function)
    room = width - len(fold) - cell_len(function)
    path = shortened_path(place, max(MIN_PATH, room), glyphs.ellipsis)
    parts = (
        (fold, "muted"),
        (path, "accent" if own else "muted"),
        (function, "function" if own else "muted"),
    )
    return DrawnLine(number, len(place) - len(path), len(fold), parts)


def shortened_path(path: str, width: int, ellipsis: str) -> str:
    """Return the end of a path that fits into a width, if possible from a folder on."""
    if cell_len(path) <= width:
        return path
    end = path[-max(1, width - len(ellipsis)) :]
    while cell_len(end) > width - len(ellipsis):
        end = end[1:]
    at = min((at for at in (end.find("/"), end.find("\\")) if at >= 0), default=0)
    return ellipsis + (end[at:] if at < len(end) - MIN_PATH else end)
