"""Sends text styles to the terminal in few bytes: only the difference to the previous style.

Textual sends each piece of text with its full style before it and a reset after it, about 40 bytes
for a word. On a slow line that is most of the traffic of a screen with arriving rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from textual.strip import Strip


class Pen:
    """Writes styled text for a terminal whose current style is known."""

    def __init__(self, colours: ColorSystem = ColorSystem.TRUECOLOR) -> None:
        self._colours = colours
        self._style = ""

    def write(self, segments: Iterable[Segment]) -> str:
        """Return text that changes styles by their difference; the last style stays set."""
        out: list[str] = []
        for text, style, _ in segments:
            if not text:
                continue
            wanted = "" if style is None else Strip.render_ansi(style, self._colours)
            if wanted != self._style:
                out.append(change(self._style, wanted))
                self._style = wanted
            if style is not None and style.link:
                text = f"\x1b]8;id={style.link_id};{style.link}\x1b\\{text}\x1b]8;;\x1b\\"
            out.append(text)
        return "".join(out)

    def lift(self) -> str:
        """Return the sequence that resets the terminal to plain text."""
        reset, self._style = change(self._style, ""), ""
        return reset


def part(segments: Iterable[Segment], left: int, right: int) -> Iterator[Segment]:
    """Yield the segments between two cells of a line."""
    start = 0
    for segment in segments:
        text = segment.text
        end = start + (len(text) if text.isascii() else cell_len(text))
        if end > left:
            if end > right:
                segment, _ = segment.split_cells(right - start)
            if start < left:
                _, segment = segment.split_cells(left - start)
            yield segment
        if end >= right:
            return
        start = end


class _Style(NamedTuple):
    attributes: frozenset[str]
    foreground: str
    background: str


@lru_cache(maxsize=4096)
def change(before: str, after: str) -> str:
    """Return the shortest sequence from one style to another; both are SGR codes, "" is plain."""
    if before == after:
        return ""
    old, new = _read(before), _read(after)
    lost = old.attributes - new.attributes
    if lost or (old.foreground and not new.foreground) or (old.background and not new.background):
        return f"\x1b[0;{after}m" if after else "\x1b[0m"
    codes = sorted(new.attributes - old.attributes)
    if new.foreground != old.foreground:
        codes.append(new.foreground)
    if new.background != old.background:
        codes.append(new.background)
    return f"\x1b[{';'.join(codes)}m"


def _read(style: str) -> _Style:
    codes = style.split(";") if style else []
    attributes: set[str] = set()
    foreground = background = ""
    while codes:
        code = codes.pop(0)
        if code in ("38", "48"):
            length = {"2": 4, "5": 2}.get(codes[0] if codes else "", 1)
            colour = ";".join((code, *codes[:length]))
            del codes[:length]
        elif code.isdigit() and (30 <= int(code) <= 49 or 90 <= int(code) <= 107):
            colour = code
        else:
            attributes.add(code)
            continue
        if code == "48" or 40 <= int(code) <= 49 or int(code) >= 100:
            background = colour
        else:
            foreground = colour
    return _Style(frozenset(attributes), foreground, background)
