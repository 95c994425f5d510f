"""A pane of the Overview: framed, or one line if there is little room or nothing to list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from textual.widget import Widget

from ...model.entities.styles import Level
from ...model.query.row_list import RowList
from ...model.query.task_view import TaskView
from ...widgets.colours import COLOURS
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ...widgets.tile import Tile
from ..bars.base import Bar, Part
from ..context import AppContext
from ..navigation import DrillDown, FilteredView
from ..text.unknown import not_known_yet
from .heights import SHORT_HOLD, Need, Peak

R = TypeVar("R")

BORDERS: Final = 2
"""Cells of the left and right border."""


class Pane(Tile):
    """A pane with its content, and a line that takes the place of both."""

    NAME: ClassVar[str]
    """Its id."""
    TITLE: ClassVar[str]
    VIEW: ClassVar[str]
    """The view that its line opens."""

    DEFAULT_CSS = """
    Pane {
        & > .line { display: none; }
        &.-none { display: none; }
        &.-line { border: none !important; }
        &.-line > * { display: none; }
        &.-line > .line { display: block; }
        &.-line:focus { background: $block-cursor-blurred-background; }
    }
    """

    def __init__(self, context: AppContext, content: Widget) -> None:
        self.context = context
        self.content = content
        self.line = Bar()
        self.line.add_class("line")
        super().__init__(
            content, self.line, title=self.TITLE, glyphs=context.glyphs, id=self.NAME,
            classes="pane",
        )  # fmt: skip
        self.can_focus = False

    @property
    def title(self) -> str:
        """The title as of now."""
        return self.TITLE

    def refresh_rows(self) -> None:
        """Read the content again."""

    def paint(self) -> None:
        """Update what is visible."""

    def status(self) -> tuple[Level, str]:
        """Return the level, and the text on the lower border."""
        raise NotImplementedError

    def summary(self) -> Sequence[Part]:
        """Return the parts of its one line, after the title."""
        return ()

    def need(self) -> Need:
        """Return how many lines it could use."""
        raise NotImplementedError

    def needed_widths(self) -> tuple[int, int]:
        """Return the cells in which no name is cut, and no text at all; 0 if any width will do."""
        return 0, 0

    def target(self, row_id: str | None) -> DrillDown | FilteredView:
        """Return the step to take for a row, or the view to go to; None is the line."""
        return FilteredView(self.VIEW)

    @property
    def is_line(self) -> bool:
        """Whether it is one line."""
        return self.has_class("-line")

    def fit(self, height: int) -> None:
        """Take a height in lines: framed if it is more than one."""
        self.styles.height = height
        self.set_class(height < 1, "-none")
        line = height <= 1
        if line == self.is_line:
            return
        had_focus = self.is_attached and self.has_focus_within
        self.set_class(line, "-line")
        self.can_focus = line
        if had_focus:
            self.screen.set_focus(self if line else self.content)
        if self.is_attached:
            self.show_status()

    def show_status(self) -> None:
        """Show level, subtitle and line."""
        level, subtitle = self.status()
        self.show(level, self.title, subtitle)
        if self.is_line:
            glyph = f"{self.context.glyphs.level(level)} " if level in ("warn", "bad") else ""
            title = Part(f"{glyph}{self.title}", f"bold {COLOURS[level]}", gap=1)
            self.line.show([title, *self.summary()], [Part("", gap=1)])


class ListPane(Pane, Generic[R]):
    """A pane with a table."""

    EMPTY: ClassVar[str]
    QUESTION: ClassVar[str] = "workers"
    """The question about the cluster from whose answer it follows that there are none."""
    FRAME_LINES: ClassVar[int] = 3

    def __init__(
        self,
        context: AppContext,
        columns: Sequence[Column[Any]],
        rows: RowList[R] | TaskView,
        *,
        titles: bool = True,
    ) -> None:
        self.rows: Any = rows
        self.table: LiveTable[Any] = LiveTable(
            columns,
            rows,
            empty=self.EMPTY,
            markable=False,
            rests=True,
            titles=titles,
            id=f"{self.NAME}-table",
        )
        self._peak, self._recent_peak = Peak(), Peak(SHORT_HOLD)
        self._widest_name, self._widest_text = Peak(), Peak()
        self._refreshed: object = None
        super().__init__(context, self.table)

    def refresh_rows(self) -> None:
        """Read and sort the rows again, once a second, or when there are more or fewer."""
        version = (int(self.context.now()), self.size_of_source())
        if version != self._refreshed:
            self._refreshed = version
            self.rows.refresh()

    def size_of_source(self) -> int:
        """Return how many rows there are before any filter; 0 if counting them is expensive."""
        return 0

    def paint(self) -> None:
        """Paint the table or the line."""
        self.table.empty = self.empty_text()
        if not self.is_line:
            self.table.paint(self.context.frame())
        self.show_status()

    def need(self) -> Need:
        """Return the number of rows, which does not fall at once."""
        rows, now = len(self.rows), self.context.now()
        recent, held = self._recent_peak.update(rows, now), self._peak.update(rows, now)
        return Need(recent, self.FRAME_LINES, held=held)

    def needed_widths(self) -> tuple[int, int]:
        """Return the cells of the widest rows with the frame, which do not fall at once."""
        names, texts = (0, 0) if self.is_line else self.table.needed_widths
        now = self.context.now()
        return (
            self._widest_name.update(names + BORDERS, now),
            self._widest_text.update(texts + BORDERS, now),
        )

    def summary(self) -> Sequence[Part]:
        """Show that there is nothing to list."""
        return () if len(self.rows) else (Part(self.empty_text(), "$text-muted"),)

    def empty_text(self) -> str:
        """Return that there is nothing, or why that is unknown."""
        reason = not_known_yet(self.context.state, self.QUESTION)
        return f"unknown: {reason}" if reason else self.EMPTY
