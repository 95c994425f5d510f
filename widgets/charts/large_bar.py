"""A full-width progress bar with a line of text below."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from ...model.text.sanitize import visible
from ..glyphs import UNICODE, Glyphs
from ..table.cells import fit
from .progress import progress_cells

_COLOURS = {"bar": "$success", "bar-rest": "$foreground 30%", "text": "bold"}


class LargeBar(Widget):
    """A progress bar and a line of text; either can be left out."""

    DEFAULT_CSS = "LargeBar { height: auto; width: 1fr; }"

    def __init__(self, *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._shown: tuple[bool, float | None, bool, int, str] = (False, None, False, 0, "")

    def show(
        self, text: str, fraction: float | None = None, *,
        bar: bool = True, estimated: bool = False, step: int = 0,
    ) -> None:  # fmt: skip
        """Show progress.

        Args:
            text: The text below the bar; empty for none.
            fraction: 0 to 1, or None if unknown.
            bar: Whether to draw the bar.
            estimated: Whether the fraction is celtop's estimate.
            step: The position of the moving block of an unknown fraction.
        """
        shown = (bar, fraction, estimated, step if fraction is None else 0, text)
        if shown != self._shown:
            layout = self._lines(shown) != self._lines(self._shown)
            self._shown = shown
            self.refresh(layout=layout)

    @staticmethod
    def _lines(shown: tuple[bool, float | None, bool, int, str]) -> int:
        return shown[0] + bool(shown[4])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines."""
        return self._lines(self._shown)

    def render(self) -> Content:
        """Draw the bar and the text."""
        bar, fraction, estimated, step, text = self._shown
        width = self.size.width
        lines = []
        if bar:
            # A blank and the percentage follow the bar.
            cells = progress_cells(
                fraction, max(1, width - 7), self._glyphs, estimated=estimated, step=step
            )
            lines.append(Content.assemble(*((text, _COLOURS[style]) for text, style in cells)))
        if text:
            text = fit(visible(text, 1_000), width, self._glyphs.ellipsis).rstrip()
            lines.append(Content.styled(text, "$text-muted"))
        return Content("\n").join(lines)
