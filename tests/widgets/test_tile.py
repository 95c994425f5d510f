from __future__ import annotations

from celtop.tests.widgets.screen_text import shown
from celtop.widgets.fields import Field, Fields
from celtop.widgets.glyphs import ASCII
from celtop.widgets.tile import Tile
from textual.containers import Vertical
from textual.geometry import Region


async def test_a_tile_shows_its_level_by_glyph_and_colour() -> None:
    tile = Tile(Fields([Field("a", "b")]), title="Queues [/]")
    async with shown(tile, 30, 4) as screen:
        assert screen.lines[0].startswith("╭─ Queues [/] ─")
        quiet = screen.style_at(0, 1).color
        tile.show("bad", subtitle="[b]3 waiting")
        await screen.settle()
        assert tile.level == "bad"
        assert screen.lines[0].startswith("╭─ ✖ Queues [/] ─")
        assert "[b]3 waiting" in screen.lines[3]
        assert screen.style_at(0, 1).color != quiet
        tile.show("good", title="Fine")
        await screen.settle()
        assert screen.lines[0].startswith("╭─ Fine ─")


async def test_a_tile_is_opened() -> None:
    tile = Tile(title="Queues")
    async with shown(tile, 30, 4) as screen:
        tile.focus()
        await screen.settle()
        assert tile.has_focus
        tile.action_open()
        await screen.pilot.click(tile, times=2)
        await screen.settle()
        assert [message.control for message in screen.of(Tile.Opened)] == [tile, tile]


async def test_a_tile_in_ascii() -> None:
    async with shown(Tile(title="Queues", level="bad", glyphs=ASCII), 30, 4) as screen:
        assert screen.lines[0].startswith("+- x Queues -")


async def test_any_part_of_a_tile_is_drawn_like_the_whole() -> None:
    tile = Tile(title="Queues")
    async with shown(tile, 30, 8):
        whole = Vertical.render_lines(tile, Region(0, 0, 30, 8))
        for top in range(8):
            for height in range(1, 9 - top):
                part = tile.render_lines(Region(0, top, 30, height))
                assert [list(line) for line in part] == [
                    list(line) for line in whole[top : top + height]
                ]
