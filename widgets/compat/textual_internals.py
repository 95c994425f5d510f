"""The uses of private names of Textual, each with its reason. Tested with Textual 8.2.8.

Any release of Textual may break this module and those beside it, and only these.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from rich.color import ColorSystem
from rich.segment import Segment
from textual import screen as textual_screen
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, ReflowResult
from textual.app import App
from textual.css.model import RuleSet
from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.message_pump import MessagePump
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

from .handlers import known_handlers
from .input_thread import quiet_input_thread
from .line_strip import cheap_strips
from .parsed_stylesheet import ParsedStylesheet
from .plain_reactives import reading
from .replaced import replaced
from .resized_app import ResizedApp
from .sgr import Pen, part
from .unheard_events import post_heard

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from textual.screen import Screen

_THUMB_STEPS_PER_CELL = 8
"""Parts of a cell that a thumb moves by."""
_MAX_QUEUED_WRITES = 2
"""Writes that may wait for the terminal before frames are skipped."""
_UPDATE_PERIOD = 1 / 200
"""Seconds between two updates of the terminal."""


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
                sheet = self.app.stylesheet
                if isinstance(sheet, ParsedStylesheet):
                    sheet.apply_to_component(node, self)
                else:
                    sheet.apply(node)
                self._component_styles[name] = node.styles
        return super().get_component_styles(*names)

    def notify_style_update(self) -> None:
        """Clear the cached styles; each is computed again when it is next drawn."""
        self._component_styles.clear()
        super().notify_style_update()


def set_virtual_size(widget: ScrollView, size: Size) -> None:
    """Set the virtual size of a scroll view without a layout of the whole screen.

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
    """Set what a scrollbar shows, and redraw it only if its thumb moves.

    Setting each of the three reactives would redraw the whole bar, although with thousands of rows
    a new one does not move the thumb by an eighth of a cell.
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
    return int(start * _THUMB_STEPS_PER_CELL), ceil(length * _THUMB_STEPS_PER_CELL)


def terminal_is_behind(app: App[Any]) -> bool:
    """Return whether the terminal reads more slowly than celtop writes.

    Textual's writer blocks the event loop once 30 writes are queued, and there is no public way to
    ask: better to skip a frame. False if the driver has no such queue (Windows, tests).
    """
    thread = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(thread, "_queue", None)
    return queue is not None and bool(queue.qsize() > _MAX_QUEUED_WRITES)


def write_to_terminal(app: App[Any], text: str) -> None:
    """Send an escape sequence that Textual has no method for; it must not move the cursor."""
    driver = getattr(app, "_driver", None)
    if driver is not None:
        driver.write(text)
        driver.flush()


class FrugalUpdate(CompositorUpdate):
    """A partial update of the screen that sends only the changed parts of lines.

    Textual's own update sends each changed line of a widget from its start, once for each changed
    part, and every piece of text with its full style.

    Args:
        update: Textual's own update.
        sent: Called with the number of characters sent to the terminal.
    """

    def __init__(self, update: CompositorUpdate, sent: Callable[[int], None]) -> None:
        self._update = update
        self._sent = sent

    def render_segments(self, console: Console) -> str:
        """Return the text for the terminal."""
        update = self._update
        if isinstance(update, ChopsUpdate):
            text = self._changed_parts(update, console)
        else:
            text = update.render_segments(console)
        self._sent(len(text))
        return text

    def _changed_parts(self, update: ChopsUpdate, console: Console) -> str:
        pen = Pen(console._color_system or ColorSystem.TRUECOLOR)
        out: list[str] = []
        for y, x1, x2 in update.spans:
            at = -1
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                left, right = max(x, x1), min(end, x2)
                if strip is None or left >= right:
                    continue
                segments: Iterable[Segment] = strip._segments
                if (left, right) != (x, end):
                    segments = part(segments, left - x, right - x)
                if left != at:
                    out.append(f"\x1b[{y + 1};{left + 1}H")
                out.append(pen.write(segments))
                at = right
        out.append(pen.lift())
        return "".join(out)


def _renders(
    compositor: Compositor, crop: Region | None = None
) -> Iterator[tuple[Region, Region, list[Strip]]]:
    """Yield the lines of `crop` of each visible widget, in place of `Compositor._get_renders`.

    Textual draws every widget of the screen whole, even if only the clock in the header changed,
    and also the lines of containers that the widgets inside, which come first, cover. Nothing is
    drawn behind a widget: lines that are too narrow, such as those of a list that leaves room for a
    scrollbar which is not laid out yet, are filled up.
    """
    covered: defaultdict[int, int] = defaultdict(int)
    for widget, (region, clip) in compositor.visible_widgets.items():
        part = region.intersection(clip)
        if crop is not None:
            part = part.intersection(Region(part.x, crop.y, part.width, crop.height))
        cells = ((1 << part.width) - 1) << part.x
        for seen in _uncovered(part, cells, covered):
            lines = widget.render_lines(seen.translate(-region.offset))
            # Where it draws fewer lines than its region has, what is below it shows.
            for y, _ in zip(seen.line_range, lines, strict=False):
                covered[y] |= cells
            yield seen, seen, [line.adjust_cell_length(seen.width) for line in lines]


def _uncovered(region: Region, cells: int, covered: Mapping[int, int]) -> Iterator[Region]:
    """Yield the whole lines of a region that are not covered, in blocks.

    Args:
        region: A part of the screen.
        cells: Its cells in each of its lines, as bits.
        covered: The covered cells of each line of the screen, as bits.
    """
    start = region.y
    for y in region.line_range:
        if cells & ~covered[y]:
            continue
        if start < y:
            yield Region(region.x, start, region.width, y - start)
        start = y + 1
    if start < region.bottom:
        yield Region(region.x, start, region.width, region.bottom - start)


def _size_updated(
    widget: Widget, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
) -> bool:
    """Set the sizes that result from a layout, in place of `Widget._size_updated`.

    With `layout` Textual lays everything out again because a layout has changed a size.
    """
    return _size_updated_by_textual(widget, size, virtual_size, container_size, layout=False)


_size_updated_by_textual = Widget._size_updated


def _reflow(compositor: Compositor, parent: Widget, size: Size) -> ReflowResult:
    """Arrange all widgets, in place of `Compositor.reflow`.

    Textual arranges all of them again when the first of them is asked for its size: the map of the
    first layout, and of one after scrolling, counts as outdated.
    """
    result = _reflow_by_textual(compositor, parent, size)
    compositor._full_map_invalidated = False
    return result


_reflow_by_textual = Compositor.reflow


def _update_widgets(compositor: Compositor, widgets: set[Widget]) -> None:
    """Note which parts are to be drawn, in place of `Compositor.update_widgets`.

    Textual takes each widget that is not visible for a new one, and arranges all widgets again to
    find it. Scrollbars change the place of no other widget before the next layout.
    """
    was_valid = not compositor._full_map_invalidated
    _update_widgets_by_textual(compositor, widgets)
    new = (widget for widget in widgets if not isinstance(widget, ScrollBar))
    if was_valid and all(widget in compositor._full_map for widget in new):
        compositor._full_map_invalidated = False


_update_widgets_by_textual = Compositor.update_widgets


def _post_register(widget: Widget, app: App[Any]) -> None:
    """Add the default style sheets of a new widget, in place of `Widget._post_register`.

    Textual looks for the source files of all base classes for each widget.
    """
    sheet = app.stylesheet
    known = sheet.known_widgets if isinstance(sheet, ParsedStylesheet) else set[type]()
    if type(widget) not in known:
        known.add(type(widget))
        _post_register_by_textual(widget, app)


_post_register_by_textual = Widget._post_register


class FrugalApp(ResizedApp, inherit_bindings=False):
    """An app that updates the screen with few bytes, and soon after a key.

    What it changes in Textual for this, it changes only while it is running.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stylesheet = ParsedStylesheet(variables=self.stylesheet._variables)

    def _load_screen_css(self, screen: Screen[Any]) -> None:
        # Its widgets are styled when they are mounted. Textual parses all style sheets again here,
        # styles every widget of the app, and then does both again because the screen is new.
        paths = [path for path in screen.css_path if not self.stylesheet.has_source(str(path), "")]
        for path in paths:
            self.stylesheet.read(path)
        if screen._css_update_count < 0:
            screen._css_update_count = self._css_update_count
        super()._load_screen_css(screen)
        if paths:
            self.stylesheet.update(screen)

    async def _process_messages(self, *args: Any, **options: Any) -> None:
        # Textual updates 60 times a second: a key pressed just after a frame would wait for 16 ms.
        # celtop's own frames are few, so that a shorter period costs nothing.
        period = min(textual_screen.UPDATE_PERIOD, _UPDATE_PERIOD)
        with (
            replaced(textual_screen, "UPDATE_PERIOD", period),
            replaced(Compositor, "_get_renders", _renders),
            replaced(Compositor, "reflow", _reflow),
            replaced(Compositor, "update_widgets", _update_widgets),
            replaced(MessagePump, "_get_dispatch_methods", known_handlers()),
            replaced(Reactive, "__get__", reading()),
            replaced(Widget, "_size_updated", _size_updated),
            replaced(Widget, "_post_register", _post_register),
            replaced(Widget, "post_message", post_heard()),
            # Python code that returns the same: to style a widget, all rules are looked up.
            replaced(RuleSet, "__hash__", object.__hash__),
            cheap_strips(),
            quiet_input_thread(),
        ):
            await super()._process_messages(*args, **options)

    def delay_update(self, delay: float = 0.05) -> None:
        """Delay nothing: a screen is displayed when it is complete."""

    def on_load(self) -> None:
        """Start tasks in turn on every Python: from 3.12 on Textual starts each of them at once.

        The first screen of a mode would be mounted before it is on the stack, where its inputs
        look for it.
        """
        asyncio.get_running_loop().set_task_factory(None)

    def sent(self, characters: int) -> None:
        """Called with the number of characters that an update sent to the terminal."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable = FrugalUpdate(renderable, self.sent)
        super()._display(screen, renderable)


async def press(app: App[Any], key: str) -> bool:
    """Run the action bound to a key, from the focused widget up to the app; False if none is.

    Textual first sends the key to the focused widget and checks the bindings when it comes back: by
    then the next keys have gone to a widget that should no longer have the focus.
    """
    return bool(await app._check_bindings(key))


def place_notifications(screen: Screen[Any], line: int | None) -> None:
    """Show notifications below the header, or at the bottom if they would cover a line there.

    The style sheet does so by the class `-bottom` of their rack.
    """
    if not screen.app._notifications:
        return  # the query takes as long as painting a bar
    for rack in screen.query_children("ToastRack"):
        if rack.display:
            height = sum(toast.outer_size.height for toast in rack.query("Toast"))
            rack.set_class(line is not None and line <= height, "-bottom")


def capture_mouse(app: App[Any], on: bool) -> bool:
    """Capture or release the mouse while running; Textual only does so at startup.

    Returns:
        Whether the driver supports it.
    """
    name = "_enable_mouse_support" if on else "_disable_mouse_support"
    driver: Any = getattr(app, "_driver", None)
    switch = getattr(driver, name, None)
    if switch is None:
        return False
    # The driver's own switch has no effect if the app was started without a mouse.
    driver._mouse = True
    switch()
    driver._mouse = on
    return True
