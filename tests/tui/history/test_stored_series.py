"""Charts of what this run has not recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path

import pytest
from celtop.history.rows import MINUTE, Batch, Rollup, Run, StoredMark, SubjectKind
from celtop.history.sqlite.store import SqliteStore
from celtop.model.entities.series.time_series import STEP
from celtop.tests.tui.app_under_test import Clock, make_app, run_app
from celtop.tests.tui.fake_session import NOW, FakeSession, cluster
from celtop.tests.tui.stored import CLUSTER, DirectReader, store_in
from celtop.tui.charts import charts
from celtop.tui.charts.chart_window import WINDOWS, windows
from celtop.tui.context import AppContext
from celtop.tui.history import stored_series
from celtop.widgets.charts.chart_data import ChartData

HOUR, DAY = 3_600, 86_400
RATE = 2.0


def minutes(start: float, end: float, rate: float) -> Iterator[Rollup]:
    for minute in range(int(start) // MINUTE, int(end) // MINUTE):
        values = {"succeeded": rate, "failed": 0.0, "retried": 0.0, "waiting": 7.0}
        yield Rollup(CLUSTER, "cluster", "", minute, values)


@pytest.fixture
def stored(tmp_path: Path) -> tuple[AppContext, DirectReader]:
    """Return an app that has recorded ten minutes, with a day of history before a gap."""
    app, session = make_app(cluster())
    rollups = (
        *minutes(NOW - 30 * HOUR, NOW - DAY + HOUR, 5.0),
        *minutes(NOW - 3 * HOUR, NOW - 2 * HOUR, RATE),
        *minutes(NOW - HOUR, NOW - 1_200, RATE),
    )
    marks = (
        StoredMark(CLUSTER, NOW - 1_800, "deployed", "celery@web-1", "added shop.new"),
        StoredMark(CLUSTER, NOW - 1_900, "started", "celery@web-1"),
    )
    reader = store_in(session, tmp_path, rollups=rollups, marks=marks)
    context = AppContext(app.context.session, app.context.settings, lambda: NOW, app.context.glyphs)
    return context, reader


def drawn(context: AppContext, seconds: int) -> ChartData:
    """Return the throughput, drawn again once what it needs has been loaded."""
    context.chart_seconds = seconds
    charts.throughput(context)
    assert context.stored_series.version
    return charts.throughput(context)


def at(data: ChartData, ago: float, layer: int = 0) -> float:
    values = data.layers[layer].values
    return values[int((data.seconds - ago) / data.seconds * len(values))]


def test_the_minutes_before_this_run_fill_the_last_hour_and_gaps_stay_blank(
    stored: tuple[AppContext, DirectReader],
) -> None:
    context, _ = stored
    live = charts.throughput(make_app(cluster())[0].context).layers[0].values[-100:]
    data = drawn(context, HOUR)
    assert at(data, 2_400) == RATE
    assert isnan(at(data, 1_100)), "a gap"
    assert data.layers[0].values[-100:] == pytest.approx(live, nan_ok=True)


@pytest.mark.parametrize("seconds", WINDOWS[3:])
def test_longer_windows_have_the_stored_values_and_what_was_recorded_since(
    stored: tuple[AppContext, DirectReader], seconds: int
) -> None:
    context, _ = stored
    data = drawn(context, seconds)
    assert data.seconds == seconds
    assert len({len(layer.values) for layer in data.layers}) == 1
    assert at(data, 2.5 * HOUR) == pytest.approx(RATE)
    assert not isnan(at(data, 120))
    if seconds < DAY:
        assert isnan(at(data, 1.5 * HOUR)), "a gap"


def test_the_same_time_yesterday_is_a_line(stored: tuple[AppContext, DirectReader]) -> None:
    context, _ = stored
    context.yesterday = True
    data = drawn(context, HOUR)
    line = data.layers[-1]
    assert (line.name, line.is_line) == ("yesterday", True)
    assert at(data, 1_800, -1) == 5.0
    for kind in charts.CHARTS:
        assert kind.build(context).layers[-1].name == "yesterday"


def test_deploys_are_marked_in_all_windows_and_starts_in_short_ones(
    stored: tuple[AppContext, DirectReader],
) -> None:
    context, _ = stored
    assert {mark.kind for mark in drawn(context, HOUR).marks} == {"deployed", "started"}
    assert {mark.kind for mark in drawn(context, DAY).marks} == {"deployed"}


def test_a_series_is_read_once_a_step_and_not_while_it_is_being_read(
    stored: tuple[AppContext, DirectReader],
) -> None:
    context, reader = stored
    reader.held = True
    for _ in range(3):
        charts.throughput(context)
    assert reader.asked == 2, "a series and the marks"
    before = context.stored_series.version
    reader.release()
    assert context.stored_series.version > before
    for _ in range(3):
        charts.throughput(context)
    assert reader.asked == 3, "and the gaps"


def test_values_stay_when_the_history_cannot_be_read(
    stored: tuple[AppContext, DirectReader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_series, "RETRY_INTERVAL", 0.0)
    context, reader = stored
    series, step, steps = context.stored_series, 5 * MINUTE, 288
    last, later = int(NOW) // step, 24

    def read(number: int) -> list[float]:
        series.values("cluster", "", "succeeded", number, steps, step)
        assert series.version
        return series.values("cluster", "", "succeeded", number, steps, step)

    before = read(last)
    assert RATE in before[later:]
    reader.store.close()
    assert read(last + later)[:-later] == pytest.approx(before[later:], nan_ok=True)
    assert series.unavailable
    reader.store = SqliteStore(tmp_path / "history.sqlite3")
    assert RATE in read(last + later)
    assert series.version
    assert not series.unavailable


async def test_charts_note_while_the_history_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[DirectReader] = []

    def stored(session: FakeSession) -> None:
        readers.append(store_in(session, tmp_path))
        readers[0].store.close()

    async with run_app(cluster(4), stored=stored) as on:
        on.app.context.chart_seconds = DAY
        await on.press("c")
        await on.until(lambda: "history unavailable" in on.text)
        readers[0].store = SqliteStore(tmp_path / "history.sqlite3")
        monkeypatch.setattr(stored_series, "RETRY_INTERVAL", 0.0)
        await on.until(lambda: "history unavailable" not in on.text)


def test_without_a_history_charts_cover_an_hour_at_most() -> None:
    context = make_app(cluster())[0].context
    assert windows(context) == (300, 900, HOUR)
    assert not isnan(charts.throughput(context).layers[0].values[-1])


def test_a_gap_within_a_minute_is_blank(tmp_path: Path) -> None:
    minute = int(NOW - 1_800) // MINUTE
    start = float(minute * MINUTE)
    killed = Run(CLUSTER, "a:1:1", NOW - HOUR, start + 20)
    after = Run(CLUSTER, "a:2:2", start + 45, NOW, NOW)

    def stored(session: FakeSession) -> None:
        reader = store_in(session, tmp_path, rollups=tuple(minutes(NOW - HOUR, NOW - 900, RATE)))
        reader.store.write(Batch(runs=(killed, after)))

    context = make_app(cluster(), stored=stored)[0].context
    data = drawn(context, HOUR)
    context.stored_series.version  # noqa: B018 - takes what was read
    data = charts.throughput(context)
    values = [at(data, NOW - start - 5 * step - 1) for step in range(12)]
    assert [isnan(value) for value in values] == [*[False] * 4, *[True] * 5, *[False] * 3]


def test_charts_of_two_days_and_deploys_read_nothing_twice(
    stored: tuple[AppContext, DirectReader],
) -> None:
    context, reader = stored
    context.yesterday = True
    counts = []
    for seconds in (HOUR, DAY):
        context.chart_seconds = seconds
        for _ in range(4):
            for kind in charts.CHARTS:
                kind.build(context)
            context.deploys.refresh()
            assert context.stored_series.version
            counts.append(reader.asked)
    assert counts[2] == counts[3]
    assert counts[6] == counts[7]


def test_what_is_unknown_now_stays_unknown_while_its_minute_is_being_stored(
    tmp_path: Path,
) -> None:
    state = cluster(4)
    known: tuple[tuple[SubjectKind, str, dict[str, float]], ...] = (
        ("cluster", "", {"busy": 3.0, "succeeded": RATE}),
        ("queue", "celery", {"waiting": 7.0}),
        ("worker", "celery@web-1", {"busy": 3.0}),
    )
    rollups = tuple(
        Rollup(CLUSTER, kind, name, int(NOW) // MINUTE - ago, values)
        for ago in range(20)
        for kind, name, values in known
    )
    state.series.record(NOW + STEP, connected=True)
    state.series.record(NOW + 2 * STEP, connected=False, reachable=False)
    context = make_app(
        state,
        Clock(NOW + 2 * STEP),
        stored=lambda session: store_in(session, tmp_path, rollups=rollups),
    )[0].context
    builds: tuple[Callable[[], ChartData], ...] = (
        lambda: charts.busy(context),
        lambda: charts.queue_depth(context, "celery"),
        lambda: charts.worker_busy(context, "celery@web-1"),
    )
    for build in builds:
        build()
        assert context.stored_series.version
        data = build()
        assert isnan(data.layers[0].values[-1])
        assert not isnan(data.layers[0].values[-2])
        assert not isnan(at(data, 800)), "before this run"
        began = data.end - (NOW - 595)
        assert isnan(at(data, began + 1)), "the minute is stored in which this run began"
        assert not isnan(at(data, began + STEP + 1)), "the minute before"


async def test_windows_of_days_and_yesterday_are_chosen_with_keys(tmp_path: Path) -> None:
    async with run_app(cluster(4), stored=lambda session: store_in(session, tmp_path)) as on:
        on.app.context.chart_seconds = HOUR
        await on.press("c", ".", ".", ".", ".")
        assert on.app.context.chart_seconds == WINDOWS[-1]
        await on.press("b")
        assert on.app.context.yesterday
        await on.until(lambda: "yesterday" in on.text)
        await on.press(",", ",", "b")
        assert on.app.context.chart_seconds == WINDOWS[-3]
        assert not on.app.context.yesterday
        assert on.said == []
