"""The base of lists that show their selected row below them, where there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult

from ....widgets.table.live_table import LiveTable
from ...context import AppContext
from ...navigation import Location
from ...panes.heights import Peak
from ...panes.preview import Preview, Previewed, spare_lines
from .lists import ListScreen

if TYPE_CHECKING:
    from ....widgets.table.viewport import Motion

R = TypeVar("R")


class PreviewingList(ListScreen, Generic[R]):
    """A list with a preview of its selected row."""

    PREVIEWS: ClassVar[bool] = True
    """Whether the selected row is shown below the list."""
    PREVIEW_LINES: ClassVar[int | None] = None
    """Lines that a preview of texts takes even if the list needs them; 0 for a preview that is made
    when there is room for it; None for one with charts."""

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self.preview = Preview(context) if self.PREVIEWS and self.PREVIEW_LINES != 0 else None
        self._count = Peak()
        """The number of rows, so that the preview does not jump when rows leave the list."""

    def compose_body(self) -> ComposeResult:
        """Yield the list, and the preview of its selected row."""
        yield from super().compose_body()
        if self.preview is not None:
            yield self.preview

    def previewed(self, row: R) -> Previewed:
        """Return what the preview shows of a row."""
        raise NotImplementedError

    def paint_body(self) -> None:
        """Update the list, and the preview of its selected row."""
        super().paint_body()
        self._paint_preview()

    def action_move(self, motion: Motion) -> None:
        """Move the cursor, and show the row in the preview."""
        super().action_move(motion)
        self._paint_preview()

    def on_live_table_resized(self, message: LiveTable.Resized) -> None:
        """Share the lines again: another line has appeared, or the terminal has another size."""
        self._paint_preview()

    def _show_rows(self) -> None:
        super()._show_rows()
        self._count = Peak()
        self._paint_preview()

    def _paint_preview(self) -> None:
        table: LiveTable[Any] = self.list_table
        # Bars may have taken all lines of a list with one row: the preview then returns some.
        if not self.PREVIEWS or not self.ready or not table.size.width:
            return
        room, least, preview = table.size.height, self.PREVIEW_LINES, self.preview
        count = self._count.update(len(table.rows), self.context.now())
        if preview is None:
            if not spare_lines(room, count):
                return
            preview = self.preview = Preview(self.context)
            self.mount(preview, after=table)
        elif preview.has_class("-shown"):
            room += preview.outer_size.height
        row, shown = table.cursor_row, None
        if least is None:
            preview.fit(self.size.height, room, count)
        else:
            if row is not None and (least or spare_lines(room, count)):
                shown = self.previewed(row)
            preview.fit_texts(shown, room, count, least)
        self.lay_out_changes()  # what it shows depends on its size
        preview.paint(None if row is None else shown or self.previewed(row))
        self.lay_out_changes()
