from __future__ import annotations

from celtop.model.query.completion import completions
from celtop.model.query.language import parse_query
from celtop.tests.widgets.screen_text import shown
from celtop.widgets.filter_bar import FilterBar
from textual.widgets import Input


def bar() -> FilterBar:
    return FilterBar(lambda text: parse_query(text).problems, placeholder="state:failure")


async def test_the_filter_applies_as_one_types() -> None:
    view = bar()
    async with shown(view, 60, 4) as screen:
        view.edit()
        await screen.pilot.press(*"geo")
        await screen.until(lambda: bool(screen.of(FilterBar.Changed)))
        await screen.until(lambda: screen.of(FilterBar.Changed)[-1].text == "geo")
        assert screen.lines[0].startswith("geo")
        await screen.pilot.press("enter")
        await screen.settle()
        assert [message.text for message in screen.of(FilterBar.Submitted)] == ["geo"]


async def test_a_bad_term_is_marked_and_explained() -> None:
    view = bar()
    async with shown(view, 60, 4) as screen:
        view.edit()
        await screen.pilot.press(*"geo age:x")
        await screen.settle()
        (problem,) = parse_query("geo age:x").problems
        assert screen.lines[1] == problem.message
        assert not screen.style_at(0, 0).underline
        assert screen.style_at(problem.start, 0).underline
        for _ in range(6):
            await screen.pilot.press("backspace")
        await screen.settle()
        assert screen.lines[1] == ""


async def test_enter_applies_at_once_what_was_typed_last() -> None:
    view = bar()
    async with shown(view, 60, 4) as screen:
        view.edit()
        view.query_one(Input).value = "quick"
        await screen.pilot.press("enter")
        await screen.settle()
        assert [message.text for message in screen.of(FilterBar.Changed)] == ["quick"]


async def test_escape_dismisses() -> None:
    view = bar()
    async with shown(view, 60, 4) as screen:
        view.edit("state:failure")
        await screen.settle()
        assert view.text == "state:failure"
        await screen.pilot.press("escape")
        await screen.settle()
        assert len(screen.of(FilterBar.Dismissed)) == 1
        assert screen.of(FilterBar.Changed) == []


async def test_markup_in_a_filter_is_only_text() -> None:
    view = bar()
    async with shown(view, 60, 4) as screen:
        view.edit("[/] [link=x] age:[b]")
        await screen.settle()
        assert screen.lines[0].startswith("[/] [link=x] age:[b]")


VALUES = ("FAILURE", "failed", "SUCCESS")


def completing() -> FilterBar:
    return FilterBar(
        lambda text: parse_query(text).problems,
        complete=lambda text: completions(text, lambda _: VALUES),
        earlier=lambda: ("state:RETRY", "mail", "state:FAILURE"),
    )


async def test_completions_are_listed_and_stepped_through() -> None:
    view = completing()
    async with shown(view, 60, 4) as screen:
        view.edit()
        await screen.pilot.press(*"mail stat")
        await screen.settle()
        assert screen.lines[1] == "state:"
        assert view.complete(1)
        await screen.settle()
        assert screen.lines[1] == "FAILURE  failed  SUCCESS"
        await screen.pilot.press("f")
        await screen.until(lambda: screen.lines[0] == "mail state:fAILURE")
        for text in ("FAILURE", "failed", "FAILURE"):
            assert view.complete(1)
            assert view.text == f"mail state:{text}"
        assert view.complete(-1)
        await screen.settle()
        assert (view.text, screen.lines[1]) == ("mail state:failed", "failed")
        view.edit("xyzzy")
        assert not view.complete(1)


async def test_earlier_filters_that_begin_with_the_text_are_recalled() -> None:
    view = completing()
    async with shown(view, 60, 4) as screen:
        view.edit("state:")
        await screen.settle()
        steps = ((-1, "state:FAILURE"), (-1, "state:RETRY"), (1, "state:FAILURE"), (1, "state:"))
        for step, text in steps:
            assert view.recall(step)
            assert view.text == text
        assert not view.recall(1)
