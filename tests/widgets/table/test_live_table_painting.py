"""What a live table draws, and how much of it each frame."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.tests.widgets.row_list import Row, RowList, rows, table
from celtop.tests.widgets.screen_text import shown, text_of
from celtop.widgets.glyphs import ASCII
from celtop.widgets.table.column import Column, Frame
from celtop.widgets.table.lines import Line, LineArtist
from celtop.widgets.table.live_table import LiveTable
from textual.filter import Monochrome

NOW = Frame(1.0)


async def test_titles_stay_above_the_rows() -> None:
    view = table(rows(30))
    async with shown(view, 40, 5) as screen:
        assert screen.lines[0].split() == ["Id", "Size", "Text", "Age"]
        assert [line.split()[0] for line in screen.lines[1:]] == ["r000", "r001", "r002", "r003"]
        view.action_move("bottom")
        await screen.settle()
        assert screen.lines[0].split() == ["Id", "Size", "Text", "Age"]
        assert [line.split()[0] for line in screen.lines[1:]] == ["r026", "r027", "r028", "r029"]


async def test_an_empty_table_has_a_text() -> None:
    list_ = rows(0)
    view = table(list_)
    async with shown(view, 40, 4) as screen:
        assert screen.lines[1:] == ["  nothing here", "", ""]
        assert view.cursor_id is None
        list_.arrive("new")
        assert view.paint(NOW) == 1
        await screen.settle()
        assert screen.lines[1].split()[0] == "new"


async def test_a_frame_repaints_the_changed_rows_alone() -> None:
    list_ = rows(100)
    view = table(list_)
    async with shown(view, 60, 20) as screen:
        view.paint(NOW)
        await screen.settle()
        assert view.paint(NOW) == 0
        for row in list_.rows[2:7]:
            row.change("changed")
        list_[60].change("out of sight")
        assert view.paint(NOW) == 5
        await screen.settle()
        assert [number for number, line in enumerate(screen.lines) if "changed" in line] == [
            *range(3, 8)
        ]


async def test_a_version_that_changes_nothing_shown_repaints_nothing() -> None:
    list_ = rows(10)
    view = table(list_)
    async with shown(view) as screen:
        view.paint(NOW)
        list_[3].version += 1
        assert view.paint(NOW) == 0
        await screen.settle()


async def test_only_the_cells_that_differ_are_refreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    list_ = rows(10)
    view = table(list_)
    async with shown(view, 60, 12) as screen:
        view.paint(NOW)
        await screen.settle()
        refreshed: list[object] = []
        monkeypatch.setattr(view, "refresh_parts", refreshed.extend)
        list_[4].change("x")
        view.paint(NOW)
        (region,) = refreshed
        assert (region.y, region.height) == (5, 1)  # type: ignore[attr-defined]
        assert region.width < 60 - 2 - 6 - 6  # type: ignore[attr-defined]


async def test_ticking_rows_are_repainted_once_a_second() -> None:
    list_ = rows(8)
    list_[2].running = True
    view = table(list_)
    async with shown(view, 60, 10) as screen:
        view.paint(Frame(10.0))
        assert view.paint(Frame(10.7)) == 0
        assert view.paint(Frame(11.0)) == 1
        await screen.settle()
        assert "11 s" in screen.lines[3]


async def test_rows_shown_before_the_first_frame_are_drawn_again_with_its_time() -> None:
    list_ = RowList([Row("r0", size=1, text="a")])
    times = Column[Row]("time", "Time", 8, lambda row, frame: (f"at {frame.now:g}", "text"))
    view = LiveTable([times], list_, id="table", row_id=lambda row: row.id)
    async with shown(view, 40, 4) as screen:
        await screen.settle()
        view.paint(Frame(7.0))
        await screen.settle()
        assert screen.lines[1].strip() == "at 7"


async def test_times_of_the_day_before_get_their_date_at_midnight() -> None:
    list_ = RowList([Row("r0", size=1, text="a")])

    def time(row: Row, frame: Frame) -> tuple[str, str]:
        begins, ends = frame.today
        return ("today" if begins <= 86_000.0 < ends else "yesterday"), "text"

    view = LiveTable(
        [Column[Row]("time", "Time", 9, time)], list_, id="table", row_id=lambda row: row.id
    )
    async with shown(view, 40, 4) as screen:
        view.paint(Frame(86_399.0, utc=True))
        assert view.paint(Frame(86_399.5, utc=True)) == 0
        await screen.settle()
        assert screen.lines[1].strip() == "today"
        view.paint(Frame(86_400.0, utc=True))
        await screen.settle()
        assert screen.lines[1].strip() == "yesterday"


async def test_what_is_frozen_stays_as_painted() -> None:
    list_ = rows(5)
    view = table(list_)
    async with shown(view, 60, 8) as screen:
        view.paint(NOW)
        before = screen.lines
        list_[0].change("later")
        view.refresh()
        await screen.settle()
        assert screen.lines == before
        view.paint(NOW)
        await screen.settle()
        assert "later" in screen.lines[1]


async def test_cost_does_not_grow_with_the_rows() -> None:
    """The rows that are touched by a frame are those in sight."""

    class Counting(RowList):
        touched = 0

        def __getitem__(self, index: int) -> Row:
            self.touched += 1
            return super().__getitem__(index)

    small, large = Counting(rows(100).rows), Counting(rows(20_000).rows)
    touched = []
    for list_ in (small, large):
        view = table(list_)
        async with shown(view, 60, 20):
            view.paint(NOW)
            list_.touched = 0
            view.paint(NOW)
            touched.append(list_.touched)
    assert touched[0] == touched[1] < 100


HOSTILE = (
    "[/]",
    "[link=x]",
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp.exe",
    "line\nbreak\ttab",
    "\u200f\u2067",
    "\x9b31m",
    "a\u0301\u0301\u0301",
    "日本語のテキスト",
    "👩‍👩‍👧‍👦 family",
    "\ud800",
    "x" * 10_000_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("width", [12, 40, 120])
async def test_hostile_text_is_only_text(text: str, width: int) -> None:
    list_ = rows(3)
    list_[1].text = text
    view = table(list_)
    async with shown(view, width, 5) as screen:
        assert [strip.cell_length for strip in screen.strips] == [width] * 5
        drawn = "".join(text_of(strip) for strip in screen.strips)
        assert not set(drawn) & {"\x1b", "\x07", "\x9b", "\u202e", "\u200f", "\n", "\t", "\ud800"}
        assert screen.lines[3].split()[0] == "r002"


async def test_markup_stands_as_it_is() -> None:
    list_ = rows(1)
    list_[0].text = "[b]no[/]"
    async with shown(table(list_), 60, 3) as screen:
        assert "[b]no[/]" in screen.lines[1]


async def test_a_long_cell_is_cut_with_an_ellipsis() -> None:
    list_ = rows(1)
    list_[0].text = "y" * 99
    view = table(list_)
    async with shown(view, 50, 3) as screen:
        assert "yyy… " in screen.lines[1]
        view.paint(Frame(1.0, ASCII))
        await screen.settle()
        assert "yyy~ " in screen.lines[1]


async def test_a_cell_that_becomes_longer_is_not_cut_until_the_next_measurement() -> None:
    list_ = rows(5)
    for row in list_.rows:
        row.text = "x"
    columns = (
        Column[Row]("id", "Id", 30, lambda row, _: (row.id, "text"), grow=1),
        Column[Row]("text", "Text", 8, lambda row, _: (row.text, "text"), 1),
    )
    view = LiveTable[Row](columns, list_)
    async with shown(view, 36, 6) as screen:
        view.paint(NOW)
        list_[2].change("RECEIVED IN PART")
        view.paint(NOW)
        await screen.settle()
        assert screen.lines[3].split(maxsplit=1) == ["r002", "RECEIVED IN PART"]
        assert view.paint(NOW) == 0
        list_[3].change("STARTED IN PART")
        assert view.paint(NOW) == 1


async def test_ascii_glyphs_draw_only_ascii() -> None:
    list_ = rows(20)
    view = table(list_, sort=("size", False))
    async with shown(view, 60, 8) as screen:
        view.paint(Frame(1.0, ASCII))
        view.action_toggle_mark()
        await screen.settle()
        drawn = [line[:58] for line in screen.lines]
        assert all(line.isascii() for line in drawn)
        assert drawn[1].startswith("* r000")
        assert "Size ^" in drawn[0]


async def test_the_cursor_is_seen_by_its_background() -> None:
    view = table(rows(5))
    async with shown(view, 40, 6) as screen:
        view.focus()
        view.paint(NOW)
        await screen.settle()
        assert screen.style_at(4, 1).bgcolor != screen.style_at(4, 2).bgcolor
        view.action_move("down")
        await screen.settle()
        assert screen.style_at(4, 1).bgcolor != screen.style_at(4, 2).bgcolor


async def test_without_colours_the_cursor_is_reversed() -> None:
    view = table(rows(5))
    async with shown(view, 40, 6) as screen:
        view.focus()
        screen.pilot.app.theme = "ansi-dark"
        await screen.settle()
        view.paint(NOW)
        await screen.settle()
        assert screen.style_at(4, 1).reverse
        assert not screen.style_at(4, 2).reverse


async def test_the_apps_filters_reach_the_lines() -> None:
    """We draw past the cache in which Textual applies them."""
    view = table(rows(5))
    async with shown(view, 40, 6) as screen:
        screen.pilot.app._filters = [Monochrome()]
        view.refresh()
        await screen.settle()
        colour = screen.style_at(4, 1).color
        assert colour is not None
        assert colour.triplet is not None
        assert len(set(colour.triplet)) == 1


async def test_a_border_around_it_is_drawn_as_well() -> None:
    view = table(rows(30))
    view.styles.border = ("ascii", "white")
    async with shown(view, 40, 8) as screen:
        assert screen.lines[0].startswith("+--")
        assert screen.lines[2].startswith("|")
        assert screen.lines[2].split()[1] == "r000"
        assert len([line for line in screen.lines if " r0" in line]) == 5


async def test_resizing_fits_the_columns_again() -> None:
    view = table(rows(30))
    async with shown(view, 60, 10) as screen:
        assert screen.lines[0].split() == ["Id", "Size", "Text", "Age"]
        await screen.pilot.resize_terminal(16, 6)
        await screen.settle()
        assert screen.lines[0].split() == ["Id", "Size›"]
        assert [line.split()[0] for line in screen.lines[1:]] == [
            "r000", "r001", "r002", "r003", "r004",
        ]  # fmt: skip
        await screen.pilot.resize_terminal(60, 10)
        await screen.settle()
        assert screen.lines[0].split() == ["Id", "Size", "Text", "Age"]


async def test_another_height_draws_only_rows_that_were_not_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []
    draw = LineArtist.row

    def noted(artist: LineArtist[Row], row: Row, row_id: str, *args: Any) -> Line:
        drawn.append(row_id)
        return draw(artist, row, row_id, *args)

    monkeypatch.setattr(LineArtist, "row", noted)
    view = table(rows(30))
    async with shown(view, 40, 8) as screen:
        view.paint(NOW)
        await screen.settle()
        drawn.clear()
        await screen.pilot.resize_terminal(40, 5)
        await screen.settle()
        assert drawn == []
        assert [line.split()[0] for line in screen.lines[1:]] == ["r000", "r001", "r002", "r003"]
        await screen.pilot.resize_terminal(40, 10)
        await screen.settle()
        assert drawn == ["r007", "r008"]
        assert screen.lines[9].split()[0] == "r008"
        await screen.pilot.resize_terminal(36, 10)
        await screen.settle()
        assert "r000" in drawn


async def test_one_line_of_height_shows_a_row() -> None:
    async with shown(table(rows(3)), 30, 1) as screen:
        assert screen.lines[0].split()[0] == "r000"


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "gruvbox", "solarized-light"])
async def test_muted_text_is_seen_on_any_background(theme: str) -> None:
    """A colour with opacity must not come out as plain white, unseen on a light screen."""
    list_ = rows(3)
    list_[1].text = "muted"
    view = table(list_)
    async with shown(view, 60, 5) as screen:
        screen.pilot.app.theme = theme
        await screen.settle()
        view.paint(NOW)
        await screen.settle()
        style = screen.style_at(screen.lines[2].index("muted"), 2)
        assert style.color is not None
        assert style.bgcolor is not None
        text, background = style.color.get_truecolor(), style.bgcolor.get_truecolor()
        assert abs(sum(text) - sum(background)) > 200
