"""A line of parts; the least important ones are left out if there is not enough room."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

from ...model.text.sanitize import visible
from ...widgets.compat.direct_refresh import DirectRefresh
from ...widgets.glyphs import UNICODE
from ...widgets.table.cells import fit

GAP: Final = 2
"""Blank cells before a part."""
MAX_BASES: Final = 50
"""Own styles of bars, in all themes, for which the styles of parts are kept."""
_MAX_TEXT: Final = 400
"""Characters of a part."""
_MIN_ELLIPSIS_WIDTH: Final = 10
"""Narrower text is cut without an ellipsis."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text on a bar."""

    text: str
    style: str = ""
    """In Textual's notation: `bold $text-success`."""
    priority: int = 0
    """0 always stays; of the others the highest is left out first."""
    click: str | None = None
    """The action that a mouse click runs."""
    gap: int = GAP
    """Blank cells before the text."""
    keeps_end: bool = False
    """Whether the start is cut if there is no room for all, as of a dotted name."""

    @property
    def shown(self) -> str:
        """The text that is safe to show."""
        return visible(self.text, _MAX_TEXT)

    @property
    def width(self) -> int:
        """The cells that it takes, with the gap."""
        return self.gap + cell_len(self.shown)


class Bar(DirectRefresh):
    """One line with parts aligned left and parts aligned right.

    It draws its segments itself, each style once: a `Content` of twenty parts takes Textual two
    milliseconds, and the clock in the header changes each second.
    """

    ellipsis: ClassVar[str] = UNICODE.ellipsis
    """The end of what is cut, of all bars; the app sets that of its glyphs."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        # Textual would underline clickable text, in its own colour.
        self.auto_links = False
        self._parts: tuple[tuple[Part, ...], tuple[Part, ...]] = ((), ())
        self._base: object = None
        self._filters: tuple[LineFilter, ...] = ()
        self._styles: dict[tuple[str, str | None], RichStyle | None] = {}
        """The styles on top of `_base`, filtered, by notation and click; shared with other bars."""
        self._line = Strip([], 0)
        self._right_fits = False
        """Whether the line has all parts aligned right."""

    @property
    def text(self) -> str:
        """The full text of the bar."""
        left, right = self._parts
        return "  ".join(part.text for part in (*left, *right))

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts; only what has changed is redrawn."""
        parts = (tuple(left), tuple(right))
        if parts == self._parts:
            return
        known, self._parts = self._parts, parts
        width = self.size.width
        if not width:
            return
        span: tuple[int, int] | None
        if (number := _only_text(known, parts)) is not None and self._is_drawn(width):
            span = self._draw_right(number, width)
        else:
            before, self._line = self._line, self._drawn(width)
            span = _changed(before, self._line)
        if span is not None:
            self.refresh_parts([Region(span[0], 0, span[1] - span[0], 1)])

    def _is_drawn(self, width: int) -> bool:
        """Return whether the line is up to date, with all parts aligned right."""
        drawn = self.visual_style is self._base and self._line.cell_length == width
        return drawn and self._right_fits

    def _draw_right(self, number: int, width: int) -> tuple[int, int]:
        """Draw one part aligned right again, whose width has not changed; return its span."""
        part, *after = self._parts[1][number:]
        end = width - sum(one.width for one in after)
        start = end - part.width + part.gap
        segment = Segment(part.shown, self._style(part.style, part.click))
        before, rest = self._line.crop(0, start), self._line.crop(end, width)
        self._line = Strip([*before, segment, *rest], width)
        return start, end

    def render_line(self, y: int) -> Strip:
        """Return the parts that fit; if those that stay do not, the left side is cut."""
        width = self.size.width
        if self.visual_style is not self._base or self._line.cell_length != width:
            self._line = self._drawn(width)
        return Strip.blank(width) if y else self._line

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the line; without padding and opacity, Textual has only its filters to add."""
        if self.styles.gutter or self.opacity != 1.0:
            return super().render_lines(crop)
        filters = tuple(self.get_line_filters())
        if filters != self._filters:
            self._filters, self._base = filters, None
        return [self.render_line(y).crop(*crop.column_span) for y in crop.line_range]

    def _drawn(self, width: int) -> Strip:
        if self.visual_style is not self._base:
            self._base = self.visual_style
            theme = frozenset(self.app.theme_variables.items())
            background = self.background_colors[1]
            self._styles = _styles_on(self._base, self._filters, background, theme)
        left, right = self._fitting(width)
        self._right_fits = len(right) == len(self._parts[1])
        end = Strip(self._segments(right))
        room = max(0, width - end.cell_length)
        start = self._shortened(Strip(self._segments(self._ending(left, room))), room)
        space = " " * max(0, width - start.cell_length - end.cell_length)
        line = Strip([*start, Segment(space, self._style("")), *end])
        return line.simplify().crop(0, width)

    def _fitting(self, width: int) -> tuple[list[Part], list[Part]]:
        left, right = list(self._parts[0]), list(self._parts[1])
        while sum(part.width for part in (*left, *right)) > width:
            least = max([*left, *right], key=lambda part: part.priority)
            if not least.priority:
                break
            (left if least in left else right).remove(least)
        if left:  # the bar begins at the same place, even if values are left out
            left[0] = replace(left[0], gap=self._parts[0][0].gap)
        return left, right

    def _ending(self, parts: Sequence[Part], room: int) -> list[Part]:
        """Return the parts, the start of one that keeps its end cut to make all fit."""
        missing = sum(part.width for part in parts) - room
        cut: list[Part] = []
        for part in parts:
            width = part.width - part.gap - missing
            if missing > 0 and part.keeps_end and width >= _MIN_ELLIPSIS_WIDTH:
                missing = 0
                text = fit(part.shown, width, self.ellipsis, keeps_end=True)
                cut.append(replace(part, text=text))
            else:
                cut.append(part)
        return cut

    def _segments(self, parts: Sequence[Part]) -> list[Segment]:
        plain = self._style("")
        segments: list[Segment] = []
        before: str | None = None
        for part in parts:
            # A key and its name are one target of the mouse, with the blank between them.
            gap = self._style("", part.click) if part.click == before else plain
            segments.append(Segment(" " * part.gap, gap))
            segments.append(Segment(part.shown, self._style(part.style, part.click)))
            before = part.click
        return segments

    def _shortened(self, strip: Strip, width: int) -> Strip:
        if strip.cell_length <= width or width < _MIN_ELLIPSIS_WIDTH:
            return strip.crop(0, width)
        start = strip.crop(0, width - len(self.ellipsis))
        return Strip([*start, Segment(self.ellipsis, self._style(""))], width)

    def _style(self, notation: str, click: str | None = None) -> RichStyle | None:
        """Return a style in Textual's notation as Textual draws it; markup is not interpreted."""
        key = (notation, click)
        if key not in self._styles:
            content = Content(" ").stylize(notation)
            if click is not None:
                content = content.stylize(Style.from_meta({"@click": click}))
            [strip] = Visual.to_strips(self, content, 1, 1, self.visual_style)
            for line_filter in self._filters:
                strip = strip.apply_filter(line_filter, self.background_colors[1])
            self._styles[key] = next(iter(strip)).style
        return self._styles[key]


@lru_cache(maxsize=MAX_BASES)
def _styles_on(
    base: Style,
    filters: Sequence[LineFilter],
    background: Color,
    theme: Set[tuple[str, str]],
) -> dict[tuple[str, str | None], RichStyle | None]:
    """Return the styles of all bars with the same own style, to be completed."""
    return {}


def _only_text(
    before: tuple[Sequence[Part], Sequence[Part]], after: tuple[Sequence[Part], Sequence[Part]]
) -> int | None:
    """Return the number of the part aligned right whose text is the only difference.

    Each second, that is the clock of the header. None if more differs, or the width of the text.
    """
    if before[0] != after[0] or len(before[1]) != len(after[1]):
        return None
    pairs = enumerate(zip(before[1], after[1], strict=True))
    different = [(number, old, new) for number, (old, new) in pairs if old != new]
    if len(different) != 1:
        return None
    [(number, old, new)] = different
    if len(old.text) != len(new.text) or not (old.text.isascii() and new.text.isascii()):
        return None
    same = replace(old, text=new.text) == new and old.text.isprintable() and new.text.isprintable()
    return number if same else None


def _changed(before: Strip, after: Strip) -> tuple[int, int] | None:
    """Return the cells from the first to the last difference between two lines of a width."""
    width = after.cell_length
    if before.cell_length != width:
        return 0, width
    old, new = list(before), list(after)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    left = sum(segment.cell_length for segment in new[:same])
    old, new = old[same:][::-1], new[same:][::-1]
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    right = width - sum(segment.cell_length for segment in new[:same])
    return (left, right) if left < right else None
