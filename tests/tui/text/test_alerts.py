from __future__ import annotations

from celtop.model.entities.queue import Pause
from celtop.model.health.finding import Finding
from celtop.model.health.findings import findings
from celtop.model.observations import (
    EventsDropped,
    InspectReply,
    QuestionsAnswered,
    QueueMeasured,
    QueuesPaused,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.streams import tick
from celtop.tests.tui.fake_session import NOW, cluster, feed
from celtop.tui.navigation import DrillDown, FilteredView
from celtop.tui.text.alerts import alerts


def test_a_quiet_cluster_needs_no_attention() -> None:
    assert alerts(findings(ClusterState(), NOW), NOW) == []


def test_what_is_bad_comes_before_what_is_late() -> None:
    state = cluster()
    feed(state, [Event("worker-heartbeat", "celery@slow", NOW - 9, freq=2.0, active=0)])
    state.observe(InspectReply("celery@slow", "active_queues", [], NOW - 9))
    tick(state, NOW)
    found = alerts(findings(state, NOW), NOW)
    assert [alert.level for alert in found] == sorted(
        (alert.level for alert in found), key=lambda level: level != "bad"
    )
    assert {alert.subject for alert in found} >= {"notifications", "celery@geo-2", "celery@slow"}


def test_a_queue_with_messages_and_no_consumers() -> None:
    state = ClusterState()
    state.observe(QueueMeasured("orphan", NOW, 1))
    assert alerts(findings(state, NOW), NOW) == []  # nothing is known about workers yet
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.tick(NOW)
    (alert,) = alerts(findings(state, NOW), NOW)
    assert alert.level == "bad"
    assert alert.text == (
        "1 message waiting, no consumers. Start a worker for it, or add a consumer"
    )


def test_a_worker_that_has_shut_down_is_not_lost() -> None:
    state = ClusterState()
    feed(state, [Event("worker-online", "w", NOW - 30), Event("worker-offline", "w", NOW - 10)])
    (alert,) = alerts(findings(state, NOW), NOW)
    assert (alert.level, alert.text) == (
        "warn",
        "shut down 10 s ago. Start again if that was not intended",
    )


def test_a_clock_that_is_off_is_reported() -> None:
    state = ClusterState()
    for beat in range(5):
        feed(state, [])
        event = Event("worker-heartbeat", "w", NOW + 40 + beat * 2, freq=2.0)
        state.observe(EventBatch((event,), NOW + beat * 2))
    texts = [alert.text for alert in alerts(findings(state, NOW + 9), NOW + 9)]
    advice = "Synchronize the clocks, for example with NTP"
    assert texts == [f"clock is 40 s ahead of this host's. {advice}"]


def test_losses_are_never_silent() -> None:
    state = ClusterState()
    state.observe(EventsDropped(0, 1204, NOW))
    (alert,) = alerts(findings(state, NOW), NOW)
    assert alert.text.startswith("1,204 events dropped, because they arrived faster")


def test_a_silent_solo_pool_is_said_to_be_at_work_perhaps() -> None:
    state = ClusterState()
    feed(state, [Event("worker-online", "w", NOW - 30)])
    state.workers["w"].pool = "solo"
    (alert,) = alerts(findings(state, NOW), NOW)
    assert alert.level == "warn"
    assert alert.text == (
        "no heartbeat for 30 s (a solo pool sends none while it runs a task). "
        "Wait; if it does not return, check process and log"
    )


def test_a_paused_queue_is_said_to_be_paused_by_whom_and_since_when() -> None:
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.observe(QueueMeasured("mail", NOW, 88))
    state.tick(NOW)
    assert [alert.level for alert in alerts(findings(state, NOW), NOW)] == ["bad"]
    state.observe(QueuesPaused({"mail": Pause(("w",), NOW - 720, "anna")}, NOW))
    (alert,) = alerts(findings(state, NOW), NOW)
    assert (alert.level, alert.subject) == ("warn", "mail")
    assert alert.text == (
        "paused by anna 12 m ago; waiting: 88 messages. "
        "Resume it on the screen (undo), or with celtop control resume mail"
    )
    state.observe(QueuesPaused({}, NOW))
    assert [alert.finding.code for alert in alerts(findings(state, NOW), NOW)] == [
        "queue-without-consumers"
    ]


def test_many_lost_workers_are_one_line_that_opens_their_list() -> None:
    state = ClusterState()
    for number in range(100):
        feed(state, [Event("worker-online", f"w{number}", NOW - 100, freq=2.0)])
        feed(state, [Event("worker-offline", f"w{number}", NOW - 10)])
    (alert,) = alerts(findings(state, NOW), NOW)
    assert alert.subject == "100 workers"
    assert alert.text == (
        "shut down, the latest 10 s ago: w0, w1, w2 and 97 more. "
        "Start again if that was not intended"
    )
    assert alert.target == FilteredView("workers", "offline")


def test_a_group_without_a_filter_of_its_own_opens_the_findings_of_its_code() -> None:
    found = [
        Finding("queue-stalled", "error", "queue", "stalled", name, common="not consumed")
        for name in ("a", "b", "c")
    ]
    (line,) = alerts(found, NOW)
    assert line.subject == "3 queues"
    assert line.target == FilteredView("findings", "queue-stalled")
    assert alerts(found, NOW, lambda finding: finding.name != "a")[0].target == DrillDown(
        "queue", "a"
    )
