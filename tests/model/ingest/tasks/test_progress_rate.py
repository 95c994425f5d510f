"""Progress rates, time left, and estimated progress."""

from __future__ import annotations

from celtop.model.entities.result import ResultMeta
from celtop.model.entities.task import Progress, Task
from celtop.model.ingest.tasks.progress_rate import (
    MAX_ESTIMATE,
    MAX_HISTORIES,
    MAX_POINTS,
    ProgressHistory,
    ProgressRates,
)
from celtop.model.observations import ResultsRead
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from celtop.tests.model.streams import NOW, Script, event, play
from hypothesis import example, given
from hypothesis import strategies as st
from pytest import approx


def history(*points: tuple[float, float]) -> ProgressHistory:
    made = ProgressHistory(0)
    for at, fraction in points:
        made.add(at, fraction)
    return made


def steady(until: int, step: float = 0.01) -> ProgressHistory:
    return history(*((second, second * step) for second in range(until + 1)))


def test_steady_progress() -> None:
    bar = steady(40)
    assert bar.rate() == approx(0.01)
    assert bar.time_left(40) == approx(60)
    assert bar.time_left(41) == approx(59)


def test_a_short_history_has_no_rate() -> None:
    for bar in (
        history(),
        history((0, 0.1)),
        history((0, 0.1), (0.9, 0.2)),
        history((0, 0.1), (9, 0.1)),
    ):
        assert (bar.rate(), bar.time_left(10)) == (None, None)
    assert history((0, 0.1), (1, 0.2)).time_left(1) == approx(8)


def test_the_rate_follows_recent_progress() -> None:
    slow_start = history(*((second, second * 0.001) for second in range(11)), (20, 0.5), (30, 0.9))
    left = slow_start.time_left(30)
    assert left is not None and left < 5


def test_the_time_left_grows_while_progress_pauses() -> None:
    bar = steady(40)
    lefts = [bar.time_left(now) or 0.0 for now in (60, 80, 200)]
    assert 60 < lefts[0] < lefts[1] < lefts[2]


def test_bursts_are_averaged() -> None:
    bursts = history(
        *((second + part / 100, second / 100) for second in range(41) for part in (0, 1))
    )
    assert bursts.time_left(40.01) == approx(60, rel=0.1)


def test_progress_that_goes_backwards_restarts() -> None:
    bar = steady(80)
    bar.add(81, 0.0)
    assert bar.time_left(81) is None
    bar.add(91, 0.5)
    assert bar.time_left(91) == approx(10)


def test_complete_progress_has_no_time_left() -> None:
    assert steady(100).time_left(100) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1)), max_size=60), st.floats(-1e6, 2e6))
@example([(0.0, 0.0), (2.0, 5e-324)], 0.0)
def test_any_history_is_bounded(points: list[tuple[float, float]], now: float) -> None:
    bar = history(*points)
    assert len(bar.points) <= MAX_POINTS
    left, rate = bar.time_left(now), bar.rate()
    assert left is None or 0.0 <= left < 1e8
    assert rate is None or rate > 0.0


def test_only_running_tasks_with_a_fraction_are_kept() -> None:
    rates = ProgressRates()
    rates.add(Task("waits"), 0.5, NOW)
    rates.add(Task("speaks", state="PROGRESS"), None, NOW)
    assert len(rates) == 0
    tasks = {"runs": Task("runs", state="PROGRESS"), "ended": Task("ended", state="PROGRESS")}
    for task in tasks.values():
        rates.add(task, 0.5, NOW)
    tasks["ended"].state = "SUCCESS"
    assert rates.of(tasks["ended"]) is None
    rates.forget_ended(tasks)
    assert len(rates) == 1
    del tasks["runs"]
    rates.forget_ended(tasks)
    assert len(rates) == 0
    for number in range(MAX_HISTORIES + 10):
        rates.add(Task(str(number), state="PROGRESS"), 0.5, NOW)
    assert len(rates) == MAX_HISTORIES


def test_the_next_attempt_has_a_history_of_its_own() -> None:
    rates, task = ProgressRates(), Task("a", state="PROGRESS")
    for at in range(10):
        rates.add(task, at / 20, at)
    task.retries = 1
    assert rates.of(task) is None
    rates.add(task, 0.6, 11)
    kept = rates.of(task)
    assert kept is not None and kept.points == [(11, 0.6)]


def test_custom_events_have_a_rate_too() -> None:
    state = ClusterState()
    script = Script("a").received().started()
    play(script.events, state)
    for second in range(5):
        events = Script("a", NOW + 10 + second).progress(current=second, total=10).events
        state.observe(EventBatch((event(events[0]),), NOW + 11 + second))
    task = state.tasks["a"]
    assert state.rate(task) == approx(0.1)
    assert state.time_left(task, NOW + 15) == approx(6)
    play(Script("a", NOW + 20).succeeded().events, state)
    assert state.time_left(task, NOW + 21) is None


def ran(state: ClusterState, runtimes: list[float]) -> None:
    for runtime in runtimes:
        script = Script(f"old-{len(state.tasks)}").received().started().succeeded(runtime=runtime)
        play(script.events, state)


def test_a_task_without_progress_is_estimated_by_its_type() -> None:
    state = ClusterState()
    ran(state, [10.0] * 4)
    task = play(Script("a").received().started().events, state).tasks["a"]
    assert state.estimate(task, NOW + 7) is None, "too few"
    ran(state, [10.0])
    guess = state.estimate(task, NOW + 2 + 5)
    assert guess is not None and guess.source == "estimate"
    assert guess.fraction == approx(0.5, rel=0.06)
    late = state.estimate(task, NOW + 100)
    assert late is not None and late.fraction == MAX_ESTIMATE
    assert task.progress is None, "an estimate is not reported progress"


def test_reported_progress_is_not_estimated_but_a_text_is_kept() -> None:
    state = ClusterState()
    ran(state, [10.0] * 6)
    task = play(Script("a").received().started().events, state).tasks["a"]
    task.progress = Progress(None, None, None, "reading")
    guess = state.estimate(task, NOW + 7)
    assert guess is not None and guess.text == "reading"
    task.progress = Progress(0.1)
    assert state.estimate(task, NOW + 7) is None
    waiting = play(Script("w").received().events, state).tasks["w"]
    assert state.estimate(waiting, NOW + 7) is None
    nameless = Task("n", state="STARTED", started_at=NOW)
    assert state.estimate(nameless, NOW + 7) is None


def test_an_estimate_accounts_for_clock_skew() -> None:
    state = ClusterState()
    ran(state, [10.0] * 6)
    task = play(Script("a", NOW + 3600).received().started().events, state).tasks["a"]
    state.workers[task.worker or ""].clock_skew = 3600.0
    assert state.skew(task.worker) == 3600.0
    guess = state.estimate(task, NOW + 7)
    assert guess is not None and guess.fraction == approx(0.5, rel=0.06)


def test_polled_progress_has_the_time_of_its_change() -> None:
    state = play(Script("a").received().started().events)
    for at, percent in ((10, 10), (11, 10), (20, 20), (21, 20), (30, 30)):
        meta = ResultMeta("a", "PROGRESS", {"progress": percent})
        state.observe(ResultsRead((meta,), NOW + at, "poll"))
    task = state.tasks["a"]
    assert state.time_left(task, NOW + 30) == approx(70)
