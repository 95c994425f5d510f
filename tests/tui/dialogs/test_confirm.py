"""Confirmations that ask for a word, also on small terminals."""

from __future__ import annotations

from celtop.model.observations import QueueMeasured
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import Location

QUEUE = "tenant-19-reconciliation-of-supplier-invoices-imports"


async def test_the_word_to_type_is_shown_in_full_and_a_long_name_once() -> None:
    state = cluster(3)
    state.observe(QueueMeasured(QUEUE, NOW, 11))
    async with run_app(state, Location("queues"), size=(60, 15)) as on:
        await on.to(QUEUE)
        await on.press("P")
        dialog = await on.asked()
        assert dialog.must_type == QUEUE
        await on.until(lambda: "confirm:" in on.text)
        lines = [line.strip("│ ") for line in on.text.splitlines()]
        assert lines[: lines.index("Effect")].count(QUEUE) == 1, "as the target"
        asked = next(number for number, line in enumerate(lines) if line == "Type")
        assert lines[asked + 1 : asked + 3] == [f"{QUEUE} to", "confirm:"]


async def test_a_text_that_fits_after_the_terminal_has_grown_has_no_scrollbar() -> None:
    async with run_app(cluster(30), Location("queues"), size=(60, 14)) as on:
        await on.press("P")
        facts = (await on.asked()).query_one("#facts")
        await on.until(lambda: facts.show_vertical_scrollbar)
        await on.pilot.resize_terminal(70, 20)
        await on.until(lambda: facts.size.width > 60)
        await on.until(lambda: not facts.show_vertical_scrollbar and not facts.max_scroll_y)


async def test_a_wrong_word_says_that_nothing_was_sent() -> None:
    state = cluster(3)
    state.observe(QueueMeasured(QUEUE, NOW, 11))
    async with run_app(state, Location("queues"), size=(100, 30)) as on:
        await on.to(QUEUE)
        await on.press("P")
        dialog = await on.asked()
        await on.press(*"purge", "enter")
        await on.until(lambda: "Nothing was sent: the text differs." in on.text)
        assert dialog.is_current
