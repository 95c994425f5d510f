from __future__ import annotations

from celtop.tui.bars.base import Bar, Part
from textual.app import App, ComposeResult


async def drawn(width: int, left: list[Part], right: list[Part]) -> str:
    class OneBar(App[None]):
        def compose(self) -> ComposeResult:
            yield Bar()

    app = OneBar()
    async with app.run_test(size=(width, 1)):
        bar = app.query_one(Bar)
        bar.show(left, right)
        return bar.render_line(0).text


async def test_parts_stand_left_and_right() -> None:
    assert await drawn(20, [Part("ab", gap=1)], [Part("cd"), Part("ef")]) == (
        " ab           cd  ef"
    )


async def test_what_matters_least_goes_first() -> None:
    parts = [Part("name", priority=2), Part("state"), Part("extra", priority=3)]
    assert (await drawn(40, parts, [])).rstrip() == "  name  state  extra"
    assert (await drawn(16, parts, [])).rstrip() == "  name  state"
    assert (await drawn(9, parts, [])).rstrip() == "  state"
    spread = [Part("old", gap=1, priority=1), Part("new", gap=3)]
    assert (await drawn(6, spread, [])).rstrip() == " new"


async def test_what_must_stay_is_cut() -> None:
    assert await drawn(4, [Part("important")], []) == "  im"


async def test_the_right_stays_whole_and_the_left_is_cut() -> None:
    left = [Part("three workers are silent", gap=1)]
    assert await drawn(22, left, [Part("d details ")]) == " three wo…  d details "


async def test_a_dotted_name_keeps_its_end() -> None:
    left = [Part("Types", gap=1), Part("shop.billing.tasks.charge", keeps_end=True)]
    assert await drawn(26, left, []) == " Types  …ling.tasks.charge"
    assert (await drawn(40, left, [])).rstrip() == " Types  shop.billing.tasks.charge"


async def test_texts_are_no_markup_and_harmless() -> None:
    assert "[/b] \\x1b[31m" in await drawn(40, [Part("[/b] \x1b[31m")], [])


async def test_a_part_with_another_text_of_the_same_width_is_drawn_alone() -> None:
    def parts(clock: str, style: str = "") -> tuple[list[Part], list[Part]]:
        right = [Part("3 tasks", "bold"), Part(clock, style, click="app.times"), Part("", gap=1)]
        return [Part("celtop", gap=1)], right

    class OneBar(App[None]):
        def compose(self) -> ComposeResult:
            yield Bar()

    app = OneBar()
    async with app.run_test(size=(40, 1)) as pilot:
        bar = app.query_one(Bar)
        bar.show(*parts("09:59:59"))
        await pilot.pause()
        texts = parts("10:00:00"), parts("10:00:01", "bold"), parts("10:00\t02", "bold")
        for changed in texts:
            bar.show(*changed)
            alone = [segment for segment in bar.render_line(0).simplify() if segment.text]
            bar._line = bar._drawn(40)
            assert alone == [segment for segment in bar.render_line(0).simplify() if segment.text]
            assert changed[1][1].shown in bar.render_line(0).text
        # With too little room, the clock is not where it would be.
        bar.show([Part("x" * 30)], [Part("10:00:03"), Part("long enough", priority=2)])
        bar.show([Part("x" * 30)], [Part("10:00:04"), Part("long enough", priority=2)])
        assert bar.render_line(0).text.endswith("…  10:00:04")
