"""The cells of failure groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import pytest
from celtop.lists.failures import FAILURES, failures_of
from celtop.model.ingest.tasks.failure_groups import NO_PLACE, FailureGroup
from celtop.model.text import units
from celtop.tests.tui.fake_session import NOW
from celtop.widgets.glyphs import ASCII, UNICODE, Glyphs
from celtop.widgets.table.arrangement import arrange
from celtop.widgets.table.cells import plain
from celtop.widgets.table.column import Frame
from celtop.widgets.table.needs import measure


def test_times_of_another_day_are_dates() -> None:
    group = FailureGroup("ValueError", "shop/tasks.py in pay")
    cells = {column.id: column.cell for column in FAILURES}
    group.add("a", NOW - 86_400, None)
    group.add("b", NOW - 60, None)
    frame = Frame(NOW, utc=True)
    assert cells["first"](group, frame) == ("27-01-14", "muted")
    assert cells["last"](group, frame) == ("07:59:00", "muted")
    assert cells["first"](FailureGroup(None, None), frame)[0] == ""


def test_the_trend_covers_an_hour_in_ten_cells_too() -> None:
    trend = next(column for column in FAILURES if column.id == "trend")
    assert trend.fill is not None
    group = FailureGroup("ValueError", "shop/tasks.py in pay")
    for number, ago in enumerate((0, 0, 3_400)):
        group.add(f"id-{number}", NOW - ago, None)
    for width in (10, 20):
        [(text, style)] = trend.fill(group, Frame(NOW), width)
        assert (len(text), style) == (width, "accent")
        lowest, highest = UNICODE.sparks[1], UNICODE.sparks[-1]
        assert [text[0] > lowest, text[-1]] == [True, highest], text
        assert set(text[1:-1]) == {lowest}


def where_texts(groups: Sequence[FailureGroup], width: int, glyphs: Glyphs = UNICODE) -> list[str]:
    where = next(column for column in failures_of(3_600) if column.id == "where")
    assert where.fill is not None
    frame = Frame(NOW, glyphs)
    return ["".join(text for text, _ in where.fill(group, frame, width)) for group in groups]


ONE = FailureGroup("OSError", "shop/tasks.py in pay", names={"shop.pay": None}, line=57)
MANY = FailureGroup("OSError", "shop/db.py in get", names={"a": None, "b": None}, line=8)


def test_the_overview_names_what_distinguishes_groups() -> None:
    unknown = FailureGroup("OSError", None, names={"shop.ship": None})
    early = FailureGroup("OSError", NO_PLACE, names={"shop.ship": None})
    stored = FailureGroup("OSError", "shop/tasks.py in pay", names={"shop.pay": None})
    assert where_texts([ONE, MANY, unknown, early, stored], 40) == [
        "shop.pay  shop/tasks.py:57",
        "shop/db.py:8  2 names",
        "shop.ship",
        "shop.ship  before the task's code",
        "shop.pay  shop/tasks.py in pay",
    ]


def test_a_location_that_does_not_fit_keeps_its_file_and_line_or_is_left_out() -> None:
    widths = (26, 25, 20, 18, 17, 8, 5)
    assert [where_texts([ONE], width)[0] for width in widths] == [
        "shop.pay  shop/tasks.py:57",
        "shop.pay  tasks.py:57",
        "shop.pay  …sks.py:57",
        "shop.pay  …s.py:57",
        "shop.pay",
        "shop.pay",
        "….pay",
    ]
    assert where_texts([ONE], 20, ASCII) == ["shop.pay  ~sks.py:57"]
    assert [where_texts([MANY], width)[0] for width in (21, 20, 12, 6)] == [
        "shop/db.py:8  2 names",
        "shop/db.py:8",
        "shop/db.py:8",
        "….py:8",
    ]


@pytest.mark.parametrize("width", [50, 76, 95])
def test_a_long_exception_leaves_room_for_the_location(width: int) -> None:
    group = FailureGroup(
        "NotEnoughReplicasAfterAppendError", "shop/tasks.py in pay", names={"shop.pay": None},
        line=57,
    )  # fmt: skip
    frame = Frame(NOW)
    needs = measure(failures_of(3_600), [group], frame)
    placed = {one.column.id: one for one in arrange(failures_of(3_600), width, needs=needs)}
    assert "tasks.py:57" in plain(placed["where"].content(group, frame))
    assert placed["error"].width >= 16


@pytest.mark.parametrize("width", [52, 54, 76])
def test_the_overview_shows_when_a_group_failed_last(width: int) -> None:
    group = FailureGroup(
        "ConnectionRefusedError", "demo/tasks.py in d", names={"geo.convert_to_raster": None},
        line=65, last_at=NOW - 9,
    )  # fmt: skip
    frame = Frame(NOW, utc=True)
    needs = measure(failures_of(3_600), [group], frame)
    placed = {one.column.id: one for one in arrange(failures_of(3_600), width, needs=needs)}
    assert plain(placed["last"].content(group, frame)) == units.clock(NOW - 9, UTC)[:5]
    assert plain(placed["last"].content(group, Frame(NOW, relative=True))) == units.ago(
        NOW - 9, NOW
    )
    assert "geo.convert_to_raster" in plain(placed["where"].content(group, frame))
