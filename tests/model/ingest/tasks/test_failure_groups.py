from __future__ import annotations

from typing import Any

from celtop.model.entities.task import Task
from celtop.model.ingest.tasks.failure_groups import (
    MAX_GROUPS,
    MAX_NAMES,
    NO_PLACE,
    TREND_STEP,
    TREND_STEPS,
    FailureGroup,
    FailureGroups,
    Trend,
)
from celtop.model.query.language import parse_query
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch

T0 = 1_800_000_000.0


def failed(
    number: int,
    exception: str | None,
    at: float = T0,
    traceback: str | None = None,
    **fields: Any,
) -> Task:
    fields = {"name": "a.b", "state": "FAILURE", **fields}
    task = Task(str(number), exception=exception, finished_at=at, **fields)
    task.traceback = traceback
    return task


def traced(path: str, function: str, line: int) -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "/venv/lib/python3.11/site-packages/celery/app/trace.py", line 453, in trace_task\n'
        "    R = retval = fun(*args, **kwargs)\n"
        f'  File "{path}", line {line}, in {function}\n'
        "    raise ValueError(1)\n"
        "ValueError: 1\n"
    )


def only_celery() -> str:
    return traced("/srv/a.py", "f", 1).partition('  File "/srv')[0] + "TypeError: f()\n"


def grouped(*tasks: Task) -> FailureGroups:
    groups = FailureGroups()
    groups.apply(tasks)
    return groups


def test_a_group_has_the_line_of_its_latest_failure() -> None:
    first = failed(1, "ValueError(1)", traceback=traced("/srv/shop/pay.py", "pay", 7))
    latest = failed(2, "ValueError(1)", T0 + 1, traceback=traced("/srv/shop/pay.py", "pay", 9))
    group = only(grouped(first, latest))
    assert group.file_line == "shop/pay.py:9"
    assert only(grouped(failed(3, "ValueError(1)"))).file_line == ""


def only(groups: FailureGroups) -> FailureGroup:
    (group,) = groups
    return group


def test_equal_failures_are_one_group_with_its_times() -> None:
    group = only(grouped(failed(1, "E('a')", T0 + 5), failed(2, "E('b')", T0)))
    assert (group.error, group.name, group.place) == ("E", "a.b", None)
    assert (group.count, group.first_at, group.last_at) == (2, T0, T0 + 5)
    assert group.example == "2"


def test_line_numbers_are_ignored_but_functions_are_not() -> None:
    texts = [
        traced("/srv/shop/tasks.py", "download", 41),
        traced("/srv/shop/tasks.py", "download", 43),
        traced("/srv/shop/tasks.py", "resize", 41),
    ]
    groups = grouped(*(failed(number, "E()", traceback=text) for number, text in enumerate(texts)))
    assert {group.place: group.count for group in groups} == {
        "shop/tasks.py in download": 2,
        "shop/tasks.py in resize": 1,
    }


def test_a_retried_task_leaves_its_group_and_returns_if_it_fails_again() -> None:
    task = failed(1, "E()", state="RETRY")
    groups = grouped(task)
    first = only(groups)
    task.state, task.exception = "STARTED", None
    groups.apply([task])
    assert list(groups) == []
    assert groups.of("1") is None
    task.state, task.exception, task.finished_at = "FAILURE", "E()", T0 + 60
    groups.apply([task])
    assert only(groups) is first
    assert (first.count, first.first_at, first.last_at) == (1, T0, T0 + 60)
    assert sum(first.trend.series(T0 + 60)) == 2


def test_a_change_without_a_new_failure_is_not_counted() -> None:
    task = failed(1, "E()")
    groups = grouped(task)
    version = only(groups).version
    groups.apply([task])
    assert sum(only(groups).trend.series(T0)) == 1
    assert only(groups).version == version


def test_evicted_tasks_leave_their_groups() -> None:
    task = failed(1, "E()")
    groups = grouped(task, failed(2, "E()"))
    groups.apply([], [task])
    assert only(groups).count == 1
    assert only(groups).example == "2"


def test_a_late_traceback_moves_the_task() -> None:
    task = failed(1, "E()")
    groups = grouped(task)
    task.traceback = traced("/srv/shop/tasks.py", "f", 1)
    groups.apply([task])
    assert only(groups).place == "shop/tasks.py in f"


def test_groups_are_limited_and_empty_ones_make_room() -> None:
    tasks = [failed(number, f"E{number}()") for number in range(MAX_GROUPS + 1)]
    groups = grouped(*tasks)
    assert len(list(groups)) == MAX_GROUPS
    assert groups.left_out == 1
    groups.apply(tasks[-1:], tasks[:1])
    assert groups.left_out == 0
    assert groups.of(tasks[-1].id) is not None


def test_the_filter_of_a_group_finds_exactly_its_tasks() -> None:
    place = '/srv/"odd, place"/tasks.py'
    tasks = [
        failed(1, "E('x')", name='we"ird, name', traceback=traced(place, "<lambda>", 3)),
        failed(2, "E('x')", name='we"ird, name', traceback=traced("/srv/a/b.py", "f", 3)),
        failed(3, "E('x')", name='we"ird, name'),
        failed(4, "Other('x')", name='we"ird, name'),
        failed(5, "E('x')", name=None),
        failed(6, None, name='we"ird, name'),
        failed(7, "E('y')", name='we"ird, name', state="RETRY"),
        failed(8, "E('y')", name='we"ird, name', state="STARTED"),
        failed(9, "E*('y')", name="we?"),
        failed(10, "E('x')", name='we"ird, name', traceback=only_celery()),
        failed(11, None, name="a.b", traceback=traced("/srv/a/b.py", "f", 3)),
    ]
    groups = list(grouped(*tasks))
    assert len(groups) == 8
    assert len({group.id for group in groups}) == 8
    for group in groups:
        query = parse_query(group.query)
        assert query.problems == ()
        assert [task.id for task in tasks if query.matches(task, T0)] == list(group.tasks)


def test_a_location_is_one_group_for_all_names_also_if_a_name_comes_later() -> None:
    text = traced("/srv/shop/http.py", "get", 3)
    tasks = [failed(n, "E()", traceback=text, name=name) for n, name in enumerate(("a", None, "b"))]
    groups = grouped(*tasks)
    assert (only(groups).count, list(only(groups).names)) == (3, ["a", "b"])
    tasks[1].name = "c"
    groups.apply(tasks)
    assert list(only(groups).names) == ["a", "b", "c"]
    assert sum(only(groups).trend.series(T0)) == 3


def test_failures_without_a_known_exception_are_counted_apart_until_it_is_known() -> None:
    first, waiting = failed(1, "E()"), failed(2, None, state="RETRY")
    groups = grouped(first, waiting)
    assert (only(groups).count, groups.unexplained) == (1, 1)
    waiting.exception = "E()"
    groups.apply([waiting])
    assert (only(groups).count, groups.unexplained) == (2, 0)
    waiting.exception = None
    groups.apply([waiting])
    groups.apply([], [waiting])
    assert (only(groups).count, groups.unexplained) == (1, 0)


def test_a_traceback_with_frames_of_celery_only_is_another_group_than_none() -> None:
    groups = grouped(failed(1, "E()", traceback=only_celery()), failed(2, "E()"))
    assert [group.place for group in groups] == [NO_PLACE, None]


def test_failures_are_counted_by_worker() -> None:
    task = failed(1, "E()", worker="celery@a")
    groups = grouped(task, failed(2, "E()", worker="celery@a"), failed(3, "E()"))
    task.worker, task.finished_at = "celery@b", T0 + 9
    groups.apply([task])
    assert only(groups).workers == {"celery@a": 2, "celery@b": 1}
    groups.apply([failed(n, "E()", worker=f"w{n}") for n in range(4, 4 + MAX_NAMES)])
    assert len(only(groups).workers) == MAX_NAMES


def test_groups_agree_with_the_counts_of_the_model() -> None:
    state = ClusterState()
    events = []
    for number in range(9):
        common: dict[str, Any] = {"uuid": str(number), "hostname": "w"}
        end = ("task-failed", "task-retried", "task-succeeded")[number % 3]
        exception = f"E{number % 2}()" if number % 3 < 2 else None
        events += [
            Event("task-received", timestamp=T0, name="a.b", **common),
            Event("task-started", timestamp=T0 + 1, **common),
            Event(end, timestamp=T0 + 2, exception=exception, **common),
        ]
    state.observe(EventBatch(tuple(events), T0))
    state.take_changes()
    counts = state.totals.by_state
    assert sum(group.count for group in state.failures) == counts["FAILURE"] + counts["RETRY"] == 6


def test_the_model_groups_failures_from_events() -> None:
    state = ClusterState()
    events = (
        Event("task-received", "w", T0, uuid="1", name="a.b"),
        Event("task-failed", "w", T0 + 1, uuid="1", exception="E('x')"),
    )
    state.observe(EventBatch(events, T0))
    assert list(state.failures) == []
    state.take_changes()
    assert only(state.failures).key == ("E", None, "a.b")


class TestTrend:
    def test_the_failures_since_a_time_are_counted(self) -> None:
        group = only(grouped(failed(1, "E()", T0), failed(2, "E()", T0 + 60)))
        assert [group.count_since(T0 + at) for at in (-1, 0, 1, 61)] == [2, 2, 1, 0]

    def test_counts_are_per_step_and_the_last_is_the_current_one(self) -> None:
        trend = Trend()
        for at in (0.0, TREND_STEP, TREND_STEP + 1):
            trend.add(T0 + at)
        assert trend.series(T0 + TREND_STEP)[-2:] == [1, 2]
        assert trend.series(T0 + 3 * TREND_STEP)[-4:] == [1, 2, 0, 0]

    def test_late_times_count_in_their_own_step(self) -> None:
        trend = Trend()
        trend.add(T0)
        trend.add(T0 - 2 * TREND_STEP)
        trend.add(T0 - 2 * TREND_STEPS * TREND_STEP)
        assert trend.series(T0)[-3:] == [1, 0, 1]
        assert sum(trend.series(T0)) == 2

    def test_an_hour_later_it_is_empty(self) -> None:
        trend = Trend()
        trend.add(T0)
        assert sum(trend.series(T0 + TREND_STEPS * TREND_STEP)) == 0
        trend.add(T0 + 5 * TREND_STEPS * TREND_STEP)
        assert sum(trend.series(T0 + 5 * TREND_STEPS * TREND_STEP)) == 1


def test_a_group_that_failed_before_this_run_began_then() -> None:
    groups = grouped(failed(1, "E('a')", T0))
    group = only(groups)
    version = group.version
    groups.remember({group.id: T0 - 90_000, "=F\n?\n=a.b": T0 - 50_000})
    assert (group.first_at, group.last_at, group.count) == (T0 - 90_000, T0, 1)
    assert group.version > version
    groups.apply([failed(2, "F('b')", T0 + 1)])
    assert {one.error: one.first_at for one in groups} == {"E": T0 - 90_000, "F": T0 - 50_000}


def test_the_beginnings_that_are_remembered_are_bounded() -> None:
    groups = FailureGroups()
    groups.remember({str(number): T0 for number in range(2 * MAX_GROUPS)})
    assert len(groups._began_at) == MAX_GROUPS


def test_failures_are_dated_by_the_local_clock() -> None:
    """A worker whose clock is ahead would fail in the future, one behind before the last hour."""
    groups = FailureGroups()
    skews = {"ahead": 3_600.0, "behind": -7_200.0}
    ahead = failed(1, "ValueError(1)", T0 + 3_600, worker="ahead")
    behind = failed(2, "ValueError(2)", T0 - 7_210, worker="behind")
    groups.apply([ahead, behind], skews=skews)
    group = only(groups)
    assert (group.first_at, group.last_at) == (T0 - 10, T0)
    assert sum(group.trend.series(T0)) == 2
    groups.apply([ahead], skews={**skews, "ahead": 3_601.0})
    assert sum(group.trend.series(T0)) == 2, "the same failure, by another skew"


def test_the_clocks_that_heartbeats_reveal_date_failures() -> None:
    state, late = ClusterState(), 3_600.0
    beat = Event("worker-heartbeat", "w1", T0 + late, freq=2.0, active=0, processed=0)
    state.observe(EventBatch((beat,), T0))
    error = {"exception": "OSError()", "traceback": traced("/srv/a.py", "f", 1)}
    end = Event("task-failed", "w1", T0 + late + 1, uuid="1", **error)  # type: ignore[arg-type]
    state.observe(EventBatch((end,), T0 + 1))
    state.take_changes()
    (group,) = state.failures
    assert group.last_at == T0 + 1


def test_failures_are_dated_again_when_a_clock_becomes_known() -> None:
    groups, skews = FailureGroups(), {"ahead": 10_000.0}
    times = ((1, T0 + 9_990, "ahead"), (2, T0 + 9_700, "ahead"), (3, T0 - 100, "right"))
    groups.apply([failed(id_, "ValueError(1)", at, worker=worker) for id_, at, worker in times])
    group = only(groups)
    groups.remember({group.id: T0 - 500})
    groups.apply([], skews=skews)
    assert (group.first_at, group.last_at) == (T0 - 500, T0 - 10)
    assert sum(group.trend.series(T0)) == 3
    assert group.count_since(T0 - 150) == 2
    version = group.version
    groups.apply([], skews=dict(skews))
    assert group.version == version, "nothing changed"
    groups.remember({})
    groups.apply([], skews={"ahead": 10_900.0})
    assert (group.last_at, sum(group.trend.series(T0))) == (T0 - 100, 3)
