"""A partial update draws only the lines that changed, and the same as a full one."""

from __future__ import annotations

from celtop.widgets.compat.textual_internals import FrugalApp, FrugalUpdate
from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static


class Drawn(Static):
    """Counts the lines that it draws."""

    lines_drawn = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.lines_drawn += crop.height
        return super().render_lines(crop)


class Container(Vertical):
    """Records the lines that it draws."""

    def __init__(self, *children: Widget) -> None:
        super().__init__(*children)
        self.drawn: list[int] = []

    def render_lines(self, crop: Region) -> list[Strip]:
        self.drawn += crop.line_range
        return super().render_lines(crop)


class Lines(FrugalApp):
    CSS = "#first { height: 1 } #rest { height: 1fr } .padded { margin: 1 2; height: 30 }"

    def compose(self) -> ComposeResult:
        yield Static("first", id="first")
        with Vertical(id="rest"):
            yield Drawn("a b c\n" * 30, classes="padded")


async def test_a_changed_line_does_not_draw_the_others() -> None:
    app = Lines()
    async with app.run_test(size=(40, 12)) as pilot:
        first, rest = app.query_one("#first", Static), app.query_one(Drawn)
        await pilot.pause()
        rest.lines_drawn = 0
        first.update("other", layout=False)
        await pilot.pause()
        assert rest.lines_drawn == 0
        compositor = app.screen._compositor
        whole = [strip.text for strip in compositor.render_strips()]
        assert whole[0].rstrip() == "other"
        rest.refresh(Region(0, 1, 5, 1))
        compositor.update_widgets({rest})
        rest.lines_drawn = 0
        update = compositor.render_partial_update()
        assert rest.lines_drawn == 1
        assert update is not None
        assert [(y, x1, x2) for y, x1, x2 in update.spans] == [(3, 2, 7)]
        parts = [strip for strip in update.chops[3].values() if strip is not None]
        assert Strip.join(parts).text == whole[3]


class Covered(FrugalApp):
    """A container whose lines 2 and 3 are the only ones that its widgets do not cover."""

    CSS = "Static { height: 2 } #narrow { width: 39; height: 1 } #last { height: 8; margin-top: 1 }"

    def compose(self) -> ComposeResult:
        last = Container(Static("c"), Static("d"), Static("e"), Static("f"))
        last.id = "last"
        yield Container(Static("a"), Static("b", id="narrow"), last)


async def test_lines_of_a_container_that_others_cover_are_not_drawn() -> None:
    app = Covered()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        outer, inner = app.query(Container)
        outer.drawn.clear()
        inner.drawn.clear()
        lines = [strip.text.strip() for strip in app.screen._compositor.render_strips()]
        assert outer.drawn == [2, 3]
        assert not inner.drawn
        assert [line or " " for line in lines] == list("a b c d e f ")


class Narrow(Widget):
    """Draws lines that are narrower than its region."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return [Strip([Segment("narrow")])] * crop.height


class TooNarrow(FrugalApp):
    def compose(self) -> ComposeResult:
        yield Narrow()


async def test_lines_that_are_too_narrow_are_filled_up() -> None:
    app = TooNarrow()
    async with app.run_test(size=(40, 2)) as pilot:
        await pilot.pause()
        full = app.screen._compositor.render_full_update()
        assert [Strip.join(line).text for line in full.strips] == ["narrow".ljust(40)] * 2
        assert "narrow" in FrugalUpdate(full, app.sent).render_segments(app.console)


class Lower(Static):
    """Draws fewer lines than its region has, as a widget does whose size is about to change."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return super().render_lines(crop)[:1]


class Behind(FrugalApp):
    CSS = "Static { height: 3 } Container { background: $panel }"

    def compose(self) -> ComposeResult:
        yield Container(Lower("a"))


async def test_where_a_widget_draws_no_line_what_is_below_it_shows() -> None:
    app = Behind()
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.pause()
        update = app.screen._compositor.render_full_update()
        assert update.render_segments(app.console)
        assert [sum(strip.cell_length for strip in line) for line in update.strips] == [40] * 6
