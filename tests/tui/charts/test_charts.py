from __future__ import annotations

from math import isnan

from celtop.model.entities.series.time_series import SECONDS, STEP
from celtop.model.ingest.series_recorder import MAX_DEPTH_AGE, MAX_SUBJECTS
from celtop.model.observations import ConnectionChanged, QueueMeasured
from celtop.model.text import units
from celtop.tests.tui.app_under_test import Clock, make_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.bars.header import finished_rate, numbers
from celtop.tui.charts import charts
from celtop.tui.charts.chart_window import WINDOWS
from celtop.tui.charts.current_values import current_rates
from celtop.tui.charts.series_chart import RATE_PERIOD
from celtop.tui.context import AppContext
from celtop.widgets.charts.chart_data import ChartData


def context() -> AppContext:
    return make_app(cluster())[0].context


def names(data: ChartData) -> list[str]:
    return [layer.name for layer in data.layers]


def test_each_chart_covers_the_window() -> None:
    shared = context()
    for seconds in (one for one in WINDOWS if one <= SECONDS):
        shared.chart_seconds = seconds
        for kind in charts.CHARTS:
            data = kind.build(shared)
            assert data.end == NOW
            assert data.seconds == seconds
            assert {len(layer.values) for layer in data.layers} == {seconds // STEP}, kind.id


def test_until_it_is_chosen_the_window_grows_with_what_is_recorded() -> None:
    empty, shared = make_app()[0].context, context()
    assert (empty.chart_seconds, shared.chart_seconds) == (300, 900)
    shared.chart_seconds = 3_600
    assert shared.chart_seconds == 3_600


def test_the_queues_with_the_most_messages_have_a_layer_each() -> None:
    shared = context()
    state = shared.state
    for number in range(7):
        state.observe(QueueMeasured(f"queue-{number}", NOW + 1, waiting=10_000 * (7 - number)))
    state.series.record(NOW + STEP, connected=True)
    data = charts.waiting(shared)
    assert names(data) == ["queue-0", "queue-1", "queue-2", "queue-3", "other"]
    rest = data.layers[-1].values[-1]
    assert rest == 60_000 + 1_204 + 88 + 3
    empty = make_app()[0].context
    assert names(charts.waiting(empty)) == ["waiting"]


def test_a_queue_that_has_filled_up_now_has_a_layer() -> None:
    shared = context()
    state = shared.state
    for step in range(60):
        for number in range(5):
            state.observe(QueueMeasured(f"steady-{number}", NOW + step * STEP, waiting=2_000))
        state.series.record(NOW + step * STEP, connected=True)
    state.observe(QueueMeasured("new", NOW + 60 * STEP, waiting=3_000))
    state.series.record(NOW + 60 * STEP, connected=True)
    assert "new" in names(charts.waiting(shared))


def test_charts_of_what_is_not_recorded_are_unknown() -> None:
    shared = context()
    for data in (charts.queue_depth(shared, "no-such"), charts.type_runtimes(shared, "no-such")):
        assert all(isnan(value) for layer in data.layers for value in layer.values)


def test_a_window_that_was_recorded_without_values_does_not_promise_any() -> None:
    shared = context()
    assert charts.type_runtimes(shared, "rare").no_values == "no data yet"
    for step in range(int(shared.chart_seconds // STEP) + 1):
        shared.state.series.record(NOW + (step + 1) * STEP, connected=True)
    assert charts.type_runtimes(shared, "rare").no_values == "no data"


def test_a_chart_of_one_queue_too_many_states_why_it_is_empty() -> None:
    shared = context()
    assert charts.queue_depth(shared, "no-such").no_values == "no data yet"
    for number in range(MAX_SUBJECTS + 1):
        shared.state.observe(QueueMeasured(f"queue-{number}", NOW + 1, waiting=1))
    shared.state.series.record(NOW + STEP, connected=True)
    left_out = charts.queue_depth(shared, f"queue-{MAX_SUBJECTS}")
    assert left_out.no_values == "not recorded: more than 250 queues"
    assert charts.queue_depth(shared, "queue-0").no_values == "no data yet"


def test_a_worker_shows_its_own_marks_and_its_slots_as_a_line() -> None:
    shared = context()
    data = charts.worker_busy(shared, "celery@web-1")
    assert [layer.is_line for layer in data.layers] == [False, True]
    assert {mark.worker for mark in data.marks} == {"celery@web-1"}


def test_a_sparkline_of_finished_tasks_is_blank_before_the_first() -> None:
    values = charts.finished(context(), 20)
    assert len(values) == 20
    assert values[0] is None
    assert values[-1]


def test_the_legend_shows_rates_over_a_minute() -> None:
    at = context()
    data = charts.type_rates(at, "mail.send")
    values = data.layers[0].values[-60 // STEP :]
    expected = sum(values) / len(values)
    assert charts.average_rates(data)[0] == data.unit.text(expected)
    assert data.note == RATE_PERIOD == charts.throughput(at).note
    at.chart_seconds = 86_400
    assert charts.throughput(at).note == "", "each step is longer than a minute"
    at.chart_seconds = 300
    assert charts.queue_depth(at, "celery").note != RATE_PERIOD
    assert charts.average_rates(charts.queue_depth(at, "celery")) == ()
    assert set(charts.average_rates(charts.type_rates(at, "none"))) == {"?"}


def current(data: ChartData) -> list[str]:
    assert data.current is not None
    return list(data.current())


def test_the_legend_of_queues_has_what_their_list_and_fields_show() -> None:
    clock = Clock()
    at = make_app(cluster(), clock)[0].context
    state, queue = at.state, at.state.queues["celery"]
    waiting, depth, rates = (
        charts.waiting(at), charts.queue_depth(at, "celery"), charts.queue_rates(at, "celery")
    )  # fmt: skip
    assert current(depth) == ["3"]
    queue.waiting, queue.out_per_s, queue.in_per_s = 5, 0.0, 0.3
    assert current(depth) == ["5"]
    assert current(rates) == ["0/s", "0.3/s"]
    shown = {layer.name: text for layer, text in zip(waiting.layers, current(waiting), strict=True)}
    assert (shown["celery"], shown["notifications"]) == ("5", "88")
    clock.now += MAX_DEPTH_AGE + 1
    assert current(depth) == ["?"]
    clock.now = NOW
    state.observe(ConnectionChanged("lost", NOW))
    assert set(current(depth) + current(rates) + current(waiting)) == {"?"}


def test_the_legend_counts_the_messages_of_all_other_queues() -> None:
    at = context()
    for number in range(7):
        at.state.observe(QueueMeasured(f"queue-{number}", NOW + 1, waiting=10_000 * (7 - number)))
    at.state.series.record(NOW + STEP, connected=True)
    *first, rest = current(charts.waiting(at))
    assert first == ["70,000", "60,000", "50,000", "40,000"]
    assert rest == f"{60_000 + 1_204 + 88 + 3:,}"


def test_rates_are_unknown_in_header_and_legends_while_the_broker_is_lost() -> None:
    at = context()
    at.state.observe(ConnectionChanged("live", NOW))
    assert "?" not in "".join(current_rates(at))
    at.state.observe(ConnectionChanged("lost", NOW))
    at.state.series.record(NOW + STEP, connected=False)
    assert set(current_rates(at)) == set(charts.average_rates(charts.type_rates(at, "mail.send")))
    assert [part.text for part in numbers(at)][1:3] == ["?/s", "fail ?"]


def test_no_value_of_no_tasks_differs_from_an_unknown_one_in_the_legend() -> None:
    at = context()

    def legend() -> set[str]:
        of_type = (charts.type_runtimes(at, "mail.send"), charts.type_waits(at, "mail.send"))
        of_all = [build(at) for build in (charts.failures, charts.waits, charts.runtimes)]
        return {data.value(layer, None) for data in (*of_type, *of_all) for layer in data.layers}

    def record(first: int, *, connected: bool) -> None:
        for step in range(first, first + 60 // STEP + 2):
            at.state.series.record(NOW + step * STEP, connected=connected)

    record(1, connected=True)
    assert legend() == {"-"}
    record(30, connected=False)
    assert legend() == {"?"}
    data = charts.runtimes(at)
    (layer,) = data.layers
    lost = len(layer.values) - 1
    assert [data.value(layer, step) for step in (lost - 60 // STEP - 20, lost)] == ["-", "?"]


def test_the_legend_gives_minimum_rates_as_the_header_does() -> None:
    at = context()
    assert "+" not in "".join(current_rates(at))
    for worker in at.state.workers.values():
        worker.events_enabled = False
    ok, retried, _ = current_rates(at)
    assert ok.endswith("/min+") and retried.endswith("+")
    assert finished_rate(at.state, at.now()).endswith("+")


def test_the_legend_of_slots_has_the_values_of_the_list_of_workers() -> None:
    at = context()
    at.state.observe(ConnectionChanged("live", NOW))
    workers = [one for one in at.state.workers.values() if one.running is not None]
    together = charts.busy(at).current
    assert together is not None
    assert together()[0] == str(sum(one.running or 0 for one in workers)) != "0"
    own = charts.worker_busy(at, workers[0].name).current
    assert own is not None
    feed(at.state, task_events(950, "mail.send", end=None, worker=workers[0].name))
    assert own() == (str(workers[0].running), str(workers[0].slots))
    at.state.observe(ConnectionChanged("lost", NOW))
    assert own() == together() == ("?", "?")


def test_the_legend_gives_the_time_of_depths_that_were_measured_a_while_ago() -> None:
    clock = Clock()
    at = make_app(cluster(), clock)[0].context
    at.state.observe(QueueMeasured("celery", NOW, waiting=4))
    assert charts.queue_depth(at, "celery").note == ""
    clock.now += 25
    assert charts.queue_depth(at, "celery").note == f"measured at {units.clock(NOW)}"
    assert charts.queue_depth(at, "no-such").note == ""


def test_failures_of_a_group_are_unknown_before_the_first_event() -> None:
    shared = context()
    failed = task_events(
        900, "mail.send", at=NOW - 300, end="failed", exception="OSError('no route')"
    )
    feed(shared.state, failed)
    shared.state.take_changes()
    [group] = [one for one in shared.state.failures if one.error == "OSError"]
    shared.state.totals.first_event_at = NOW - 600
    data = charts.group_failures(shared, group)
    [layer] = data.layers
    known = [value for value in layer.values if not isnan(value)]
    assert sum(known) == group.count
    assert isnan(layer.values[0]) and len(known) < len(layer.values)
    assert data.start <= NOW - 3_400 and NOW < data.end <= NOW + 180
