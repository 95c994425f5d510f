"""What the key of findings does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.tests.tui.app_under_test import AppUnderTest
from celtop.tests.tui.key_checks import Pressed, cases, checks, press_all


@checks("finding.acknowledge")
async def _acknowledge(ui: AppUnderTest, key: str) -> None:
    await ui.press("8")
    first, count = ui.table.cursor_row, len(ui.table.rows)
    await ui.press(key)
    assert ui.app.context.acknowledgements.quiets(first.finding)
    assert ui.said[-1].startswith(f"Acknowledged {first.finding.code} {first.finding.subject}; it")
    await ui.until(lambda: ui.table.rows[count - 1].id == first.id)
    assert "1 acknowledged" in ui.text
    assert ui.table.cursor_row.id != first.id  # the next one is selected
    await ui.press("G", key)
    assert not ui.app.context.acknowledgements.quiets(first.finding)
    await ui.until(lambda: ui.table.rows[0].id == first.id)


@pytest.mark.parametrize("pressed", cases(__name__))
async def test_each_key_does_what_is_in_the_table(pressed: Sequence[Pressed]) -> None:
    await press_all(pressed)
