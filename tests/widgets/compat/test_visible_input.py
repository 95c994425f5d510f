from __future__ import annotations

from celtop.tests.widgets.screen_text import shown
from celtop.widgets.compat.visible_input import VisibleInput
from textual.suggester import SuggestFromList

HOSTILE = "a\x1b[31mb\u202ec"


async def test_control_characters_are_kept_and_not_drawn() -> None:
    line = VisibleInput(compact=True)
    async with shown(line, 40, 2) as screen:
        line.value = HOSTILE
        await screen.until(lambda: screen.lines[0].strip() == "a?[31mb?c")
        assert line.value == HOSTILE


async def test_a_suggestion_with_control_characters_is_not_drawn() -> None:
    line = VisibleInput(compact=True, suggester=SuggestFromList([HOSTILE, "plain"]))
    async with shown(line, 40, 2) as screen:
        line.focus()
        await screen.pilot.press("a")
        await screen.settle()
        assert screen.lines[0].strip() == "a"
        line.value = "p"
        await screen.until(lambda: screen.lines[0].strip() == "plain")
