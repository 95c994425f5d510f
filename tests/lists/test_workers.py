"""A worker's cells while it is absent, and while nothing is received."""

from __future__ import annotations

import pytest
from celtop.lists.workers import load_or_absence, worker_columns
from celtop.model.entities.fault import Fault
from celtop.model.entities.worker import Outcomes
from celtop.model.observations import ConnectionChanged, InspectReply, OperationChanged
from celtop.model.operations.commands import Drain
from celtop.model.operations.outcome import Outcome
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.tui.fake_session import NOW, feed
from celtop.widgets.table.column import Frame

REFUSED = Fault("refused", "Connection refused", "Is the broker running?")
NAME = "celery@web-1"


def with_worker(*, running: int = 0) -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW))
    feed(state, [Event("worker-online", NAME, NOW, freq=2.0)])
    tasks = [{"id": f"t{number}", "name": "add"} for number in range(running)]
    state.observe(InspectReply(NAME, "active", tasks, NOW))
    return state


def status(state: ClusterState, now: float) -> object:
    column = next(one for one in worker_columns(state.broker) if one.id == "status")
    return column.cell(state.workers[NAME], Frame(now))


def test_the_status_is_unknown_while_nothing_is_received() -> None:
    state = with_worker()
    assert status(state, NOW + 1) == ("● online", "good")
    state.observe(ConnectionChanged("lost", NOW + 2, REFUSED))
    state.tick(NOW + 900)
    assert status(state, NOW + 900) == ("○ unknown", "idle")
    load = load_or_absence(state.workers[NAME], state.broker, Frame(NOW + 900))
    assert {style for _, style in load} == {"muted"}
    state.observe(ConnectionChanged("live", NOW + 901))
    assert status(state, NOW + 902) == ("● online", "good"), "its silence counts from now on"


def test_a_worker_that_was_lost_before_the_connection_stays_lost() -> None:
    state = with_worker()
    feed(state, [Event("worker-heartbeat", "celery@other", NOW + 200)])
    state.tick(NOW + 200)
    state.observe(ConnectionChanged("lost", NOW + 201, REFUSED))
    assert status(state, NOW + 210) == ("✖ offline", "bad")


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (None, "lost 3 m 20 s ago, 12 were running"),
        (29, "lost 3 m ago, 12 were running"),
        (25, "lost 3 m, 12 were running"),
        (18, "lost 3 m, 12 tasks"),
        (17, "lost 3 m ago"),
    ],
)
def test_the_absence_of_a_worker_is_worded_by_its_width(width: int | None, text: str) -> None:
    state = with_worker(running=12)
    feed(state, [Event("worker-heartbeat", "celery@other", NOW + 200)])
    state.tick(NOW + 200)
    cells = load_or_absence(state.workers[NAME], state.broker, Frame(NOW + 200), width)
    assert "".join(cell for cell, _ in cells) == text


def test_the_absence_of_a_worker_names_a_single_task() -> None:
    state = with_worker(running=1)
    feed(state, [Event("worker-heartbeat", "celery@other", NOW + 200)])
    state.tick(NOW + 200)
    cells = load_or_absence(state.workers[NAME], state.broker, Frame(NOW + 200))
    assert "".join(cell for cell, _ in cells) == "lost 3 m 20 s ago, 1 was running"


def test_the_tasks_of_a_worker_that_shuts_down_may_still_run() -> None:
    state = with_worker(running=2)
    feed(state, [Event("worker-offline", NAME, NOW + 1)])
    cells = load_or_absence(state.workers[NAME], state.broker, Frame(NOW + 4))
    assert [cell for cell, _ in cells] == ["shut down 3.0 s ago, 2 unfinished"]


@pytest.mark.parametrize(
    ("width", "text"),
    [(None, "draining, 12 running"), (20, "draining, 12 running"), (17, "draining 12/?")],
)
def test_a_drained_worker_shows_what_it_still_runs(width: int | None, text: str) -> None:
    state = with_worker(running=12)
    state.observe(OperationChanged(Outcome(1, Drain((NAME,)), NOW), NOW))
    assert status(state, NOW + 1) == ("◐ draining", "warn")
    cells = load_or_absence(state.workers[NAME], state.broker, Frame(NOW + 1), width)
    assert [cell for cell, _ in cells] == [text]


def test_failures_are_counted_out_of_the_runs_that_were_seen() -> None:
    state = with_worker()
    worker = state.workers[NAME]
    worker.processed = 4_000
    failed = next(one for one in worker_columns(state.broker) if one.id == "failed")
    assert failed.cell(worker, Frame(NOW)) == ("-", "muted")
    worker.succeeded, worker.retried = 118, 2
    assert failed.cell(worker, Frame(NOW)) == ("0/120", "muted")
    worker.failed = 3
    assert failed.cell(worker, Frame(NOW)) == ("3/123", "text")
    worker.earlier = Outcomes(succeeded=70, failed=4, retried=3)
    assert failed.cell(worker, Frame(NOW)) == ("7/200", "text")
    worker.events_enabled = False
    assert failed.cell(worker, Frame(NOW)) == ("?", "muted")
