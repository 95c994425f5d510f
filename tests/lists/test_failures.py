"""The cells of failure groups."""

from __future__ import annotations

from typing import Any

from celtop.lists.failures import FAILURES, failures_of
from celtop.model.ingest.tasks.failure_groups import FailureGroup
from celtop.tests.tui.fake_session import NOW
from celtop.widgets.table.column import Frame


def test_times_of_another_day_are_dates() -> None:
    group = FailureGroup("ValueError", "shop/tasks.py in pay")
    cells = {column.id: column.cell for column in FAILURES}
    group.add("a", NOW - 86_400, None)
    group.add("b", NOW - 60, None)
    frame = Frame(NOW, utc=True)
    assert cells["first"](group, frame) == ("27-01-14", "muted")
    assert cells["last"](group, frame) == ("07:59:00", "muted")
    assert cells["first"](FailureGroup(None, None), frame)[0] == ""


def test_the_overview_names_what_distinguishes_groups() -> None:
    where = {column.id: column.cell for column in failures_of(3_600)}["where"]
    one = FailureGroup("OSError", "shop/tasks.py in pay", names={"shop.pay": None})
    many = FailureGroup("OSError", "shop/db.py in get", names={"shop.pay": None, "shop.ship": None})
    unknown = FailureGroup("OSError", None, names={"shop.ship": None})
    texts = []
    for group in (one, many, unknown):
        cells: Any = where(group, Frame(NOW))
        texts.append("".join(text for text, _ in cells))
    assert texts == [
        "shop.pay  shop/tasks.py in pay",
        "shop/db.py in get  2 names",
        "shop.ship",
    ]


def test_a_path_that_does_not_fit_is_shown_without_its_folder() -> None:
    where = next(column for column in failures_of(3_600) if column.id == "where")
    group = FailureGroup("OSError", "shop/db.py in get", names={"shop.pay": None, "b": None})
    assert where.fill is not None
    texts = [
        "".join(text for text, _ in where.fill(group, Frame(NOW), width)) for width in (30, 20, 12)
    ]
    assert texts == [
        "shop/db.py in get  2 names",
        "shop/db.py in get  2 names",
        "db.py in get  2 names",
    ]
