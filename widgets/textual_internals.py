"""Every private name of Textual that we use, with the reason. Seen in Textual 8.2.8."""

from __future__ import annotations

from math import ceil

from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.widget import Widget

_PARTS_OF_A_CELL = 8


class LazyComponents(Widget):
    """A widget whose component classes are styled when they are first drawn.

    Textual styles each of them for each widget at every change of style or focus. For a screen of
    tables with twenty classes each that was a third of the time to the first frame.
    """

    @classmethod
    def _get_component_classes(cls) -> frozenset[str]:  # type: ignore[override]
        return frozenset()

    def get_component_styles(self, *names: str) -> RenderStyles:
        """Return the styles of component classes, whether or not they are declared."""
        for name in names:
            if name not in self._component_styles:
                node = DOMNode(classes=name)
                node._attach(self)
                self.app.stylesheet.apply(node, animate=False)
                self._component_styles[name] = node.styles
        return super().get_component_styles(*names)

    def notify_style_update(self) -> None:
        """Forget the styles: each is made anew when it is next drawn."""
        self._component_styles.clear()
        super().notify_style_update()


def set_virtual_size(widget: ScrollView, size: Size) -> None:
    """Tell a scroll view how much there is to scroll, without a layout of the whole screen.

    `Widget.virtual_size` is a reactive with `layout=True`: with rows arriving each frame it would
    lay out every widget of the screen each time. A layout is due only when the scrollbar comes or
    goes, and then `_scroll_update` asks for it.
    """
    widget.set_reactive(Widget.virtual_size, size)
    if (size.height > widget.size.height) == widget.show_vertical_scrollbar:
        return
    update = getattr(widget, "_scroll_update", None)
    if update is None:
        widget.refresh(layout=True)
    else:
        update(size)


def place_thumb(bar: ScrollBar, virtual_size: int, window_size: int, position: float) -> None:
    """Set what a scrollbar shows, and draw it only if that can be seen.

    Each of the three would be drawn at once, and the whole bar sent to the terminal, though with
    thousands of rows a new one does not move the thumb by an eighth of a cell.
    """
    before = _thumb(bar)
    bar.set_reactive(ScrollBar.window_virtual_size, virtual_size)
    bar.set_reactive(ScrollBar.window_size, window_size)
    bar.set_reactive(ScrollBar.position, position)
    if _thumb(bar) != before:
        bar.refresh()


def _thumb(bar: ScrollBar) -> tuple[int, int] | None:
    """Return start and length of the thumb as `ScrollBarRender.render_bar` rounds them."""
    size, window, virtual = bar.size.height, bar.window_size, bar.window_virtual_size
    if not size or not window or window >= virtual:
        return None
    length = max(1.0, window * size / virtual)
    start = (size - length) * bar.position / (virtual - window)
    return int(start * _PARTS_OF_A_CELL), ceil(length * _PARTS_OF_A_CELL)
