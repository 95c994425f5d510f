"""A pane whose border shows a level: good, warn, bad or idle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ..model.entities.styles import Level
from ..model.text.sanitize import visible
from .glyphs import UNICODE, Glyphs


class Tile(Vertical, can_focus=True):
    """A framed pane that can be opened.

    Args:
        children: The widgets inside.
        title: The text on the upper border; the level's glyph is added, so it is not colour alone.
        level: Sets the colour of the border.
        glyphs: The characters to draw with.
    """

    DEFAULT_CSS = """
    Tile {
        height: 1fr;
        width: 1fr;
        border: round $frame;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        &.-good { border: round $success; border-title-color: $text-success; }
        &.-warn { border: round $warning; border-title-color: $text-warning; }
        &.-bad { border: round $error; border-title-color: $text-error; }
        &.-ascii { border: ascii $frame; }
        &.-ascii.-good { border: ascii $success; }
        &.-ascii.-warn { border: ascii $warning; }
        &.-ascii.-bad { border: ascii $error; }
        &:focus, &:focus-within { border-title-style: bold reverse; }
    }
    """

    @dataclass
    class Opened(Message):
        """The tile was opened."""

        tile: Tile

        @property
        def control(self) -> Tile:
            """The tile."""
            return self.tile

    def __init__(
        self,
        *children: Widget,
        title: str = "",
        level: Level = "idle",
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        # Set here: a class that is set afterwards has Textual style the tile, which is not mounted.
        marks = (f"-{level}", "-ascii" if glyphs.name == "ascii" else "")
        super().__init__(*children, id=id, classes=" ".join((classes or "", *marks)))
        self._title = title
        self._subject = ""
        self._subtitle = ""
        self._level: Level = level
        self._glyphs = glyphs
        self._update_border()

    @property
    def level(self) -> Level:
        """The level."""
        return self._level

    def show(self, level: Level, title: str | None = None, subtitle: str | None = None) -> None:
        """Set the level and, if given, the texts on the upper and lower border."""
        before = (self._level, self._title, self._subtitle)
        if level != self._level:
            self._update_own_classes({f"-{self._level}": False, f"-{level}": True})
            self._level = level
        self._title = self._title if title is None else title
        self._subtitle = self._subtitle if subtitle is None else subtitle
        if before != (self._level, self._title, self._subtitle):
            self._update_border()

    def name_subject(self, subject: str) -> None:
        """Name after the title what the pane is about; empty if the screen shows it elsewhere."""
        if subject != self._subject:
            self._subject = subject
            self._update_border()

    def set_own_class(self, on: bool, name: str) -> None:
        """Set a class on which the styles of the widgets inside do not depend."""
        self._update_own_classes({name: on})

    def _update_own_classes(self, classes: Mapping[str, bool]) -> None:
        before = self.classes
        self.update_classes(classes, update=False)
        if self.classes != before and self.is_attached:
            self.app.stylesheet.apply(self)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines; those between the upper and the lower border are alike, and drawn once."""
        last = self.outer_size.height - 1
        top, bottom = max(crop.y, 1), min(crop.bottom, last)
        if bottom - top < 2:
            return super().render_lines(crop)
        first = Region(crop.x, crop.y, crop.width, top + 1 - crop.y)
        rest = Region(crop.x, bottom, crop.width, crop.bottom - bottom)
        lines = super().render_lines(first)
        lines += lines[-1:] * (bottom - top - 1)
        return lines + (super().render_lines(rest) if rest.height else [])

    def action_open(self) -> None:
        """Post `Opened`."""
        self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        """Open on a double click; a single click only focuses."""
        if event.chain == 2:
            event.stop()
            self.action_open()

    def _update_border(self) -> None:
        glyph = f"{self._glyphs.level(self._level)} " if self._level in ("warn", "bad") else ""
        subject = f" {self._glyphs.separator} {self._subject}" if self._subject else ""
        # A plain string would be interpreted as markup.
        self.border_title = Content(f"{glyph}{visible(self._title + subject)}")
        self.border_subtitle = Content(visible(self._subtitle))
