from __future__ import annotations

import gc
import inspect

from celtop.tests.widgets.screen_text import shown
from celtop.widgets.compat.lazy_suggester import LazySuggester
from celtop.widgets.compat.visible_input import VisibleInput


class Doubled(LazySuggester):
    async def get_suggestion(self, value: str) -> str | None:
        return value * 2


async def test_a_suggestion_is_shown_behind_the_text() -> None:
    line = VisibleInput(compact=True, suggester=Doubled())
    async with shown(line, 40, 2) as screen:
        line.focus()
        await screen.pilot.press("a", "b")
        await screen.until(lambda: screen.lines[0].strip() == "abab")


async def test_an_input_that_is_removed_while_it_is_typed_into_leaves_no_coroutine() -> None:
    line = VisibleInput(compact=True, suggester=Doubled())
    async with shown(line, 40, 2) as screen:
        line.value = "a"
        assert line.workers.cancel_node(line)  # as Textual does when it removes an input
        await screen.settle()
        assert not [one for one in gc.get_objects() if is_unawaited_suggestion(one)]


def is_unawaited_suggestion(one: object) -> bool:
    return (
        inspect.iscoroutine(one)
        and one.__name__ == "_get_suggestion"
        and inspect.getcoroutinestate(one) == inspect.CORO_CREATED
    )
