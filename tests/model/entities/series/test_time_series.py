from __future__ import annotations

from copy import copy
from math import isnan

from celtop.model.entities.series.time_series import (
    MAX_MARKS,
    STEP,
    STEPS,
    Marks,
    TimeSeries,
    step_of,
)

STEP_0 = step_of(1_700_000_000.0)


def known(values: list[float]) -> list[float | None]:
    return [None if isnan(value) else value for value in values]


def test_what_was_not_recorded_is_unknown() -> None:
    series = TimeSeries(("depth",))
    assert known(series.window("depth", STEP_0, 2)) == [None, None]
    series.record(STEP_0, {"depth": 3})
    series.record(STEP_0 + 1, {})
    series.record(STEP_0 + 4, {"depth": 0})
    values = series.window("depth", STEP_0 + 5, 8)
    assert known(values) == [None, None, 3, None, None, None, 0, None]
    recorded = [
        step - STEP_0 for step in range(STEP_0 - 2, STEP_0 + 6) if series.was_recorded(step)
    ]
    assert recorded == [0, 1, 4]
    series.record(STEP_0 + STEPS + 1, {})
    assert not any(series.was_recorded(step) for step in range(STEP_0, STEP_0 + 4))


def test_the_last_hour_is_kept() -> None:
    series = TimeSeries(("depth",))
    for number in range(STEPS + 10):
        series.record(STEP_0 + number, {"depth": number})
    values = known(series.window("depth", series.newest, STEPS + 1))
    assert values == [None, *range(10, STEPS + 10)]
    series.record(series.newest + 3 * STEPS, {"depth": 1})
    assert known(series.window("depth", series.newest, STEPS)) == [None] * (STEPS - 1) + [1]


def test_a_value_is_found_by_its_time() -> None:
    series = TimeSeries(("depth", "load"))
    series.record(STEP_0, {"depth": 3})
    at = STEP_0 * STEP
    assert series.at("depth", at) == series.at("depth", at + STEP - 0.1) == 3
    assert series.at("depth", at - 0.1) is series.at("depth", at + STEP) is None
    assert series.at("load", at) is None
    assert series.last("depth") == 3


def test_a_copy_does_not_change() -> None:
    series = TimeSeries(("depth",))
    series.record(STEP_0, {"depth": 3})
    copied = copy(series)
    series.record(STEP_0 + STEPS, {"depth": 5})
    assert (copied.last("depth"), series.last("depth")) == (3, 5)


def test_marks_are_found_by_time_and_bounded() -> None:
    marks = Marks()
    for at in range(MAX_MARKS + 5):
        marks.add(float(at), "lost", "celery@one")
    assert len(marks) == MAX_MARKS
    assert [mark.at for mark in marks.between(10.0, 12.0)] == [10.0, 11.0]
