"""How far one task is, as wide as there is room, and in words below."""

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
    """A bar in one line and words in another; a line only where there is something to it."""

    DEFAULT_CSS = """
    LargeBar { height: auto; width: 1fr; }
    """

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._glyphs = glyphs
        self._shown: tuple[bool, float | None, bool, int, str] = (False, None, False, 0, "")

    def show(
        self, words: str, fraction: float | None = None, *,
        bar: bool = True, estimated: bool = False, step: int = 0,
    ) -> None:  # fmt: skip
        """Show how far it is.

        Args:
            words: What there is to say of it.
            fraction: 0 to 1, or None if that is not known.
            bar: Whether there is a bar at all.
            estimated: Whether the fraction is our guess.
            step: Where the block of an unknown fraction is.
        """
        shown = (bar, fraction, estimated, step if fraction is None else 0, words)
        if shown != self._shown:
            layout = self._lines(shown) != self._lines(self._shown)
            self._shown = shown
            self.refresh(layout=layout)

    @staticmethod
    def _lines(shown: tuple[bool, float | None, bool, int, str]) -> int:
        return shown[0] + bool(shown[4])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are."""
        return self._lines(self._shown)

    def render(self) -> Content:
        """Draw bar and words."""
        bar, fraction, estimated, step, words = self._shown
        width = self.size.width
        lines = []
        if bar:
            # The number and a blank stand behind the bar.
            cells = progress_cells(
                fraction, max(1, width - 7), self._glyphs, estimated=estimated, step=step
            )
            lines.append(Content.assemble(*((text, _COLOURS[style]) for text, style in cells)))
        if words:
            text = fit(visible(words, 1_000), width, self._glyphs.ellipsis).rstrip()
            lines.append(Content.styled(text, "$text-muted"))
        return Content("\n").join(lines)
