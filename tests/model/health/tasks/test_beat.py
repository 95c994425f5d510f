from __future__ import annotations

from celtop.model.entities.fault import Fault
from celtop.model.health.finding import Finding
from celtop.model.health.tasks.beat import beat_findings
from celtop.model.observations import ScheduleRead
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.schedules import entry, pass_time, run, watched
from celtop.tests.model.streams import NOW


def found(state: ClusterState, now: float) -> list[Finding]:
    return list(beat_findings(state, now))


def test_a_beat_that_runs_is_no_finding() -> None:
    state = watched(entry())
    for at in range(10, 70, 10):
        run(state, NOW + at)
        pass_time(state, NOW + at + 6)
        assert not found(state, NOW + at + 6)


def test_a_beat_that_sends_nothing_is_dead_within_the_interval_and_ten_seconds() -> None:
    state = watched(entry())
    run(state, NOW + 10)
    pass_time(state, NOW + 26)
    [dead] = found(state, NOW + 26)
    assert (dead.code, dead.severity, dead.subject, dead.since) == (
        "beat-dead", "error", "beat", NOW + 20,
    )  # fmt: skip
    assert dead.text == (
        "not running: tick was due 6 s ago and not sent; its last task was sent 16 s ago"
    )


def test_one_entry_is_overdue_if_others_are_sent() -> None:
    state = watched(entry(), entry("tock"), registered=("app.tick", "app.tock"))
    run(state, NOW + 12, name="app.tock")
    pass_time(state, NOW + 16)
    [overdue] = found(state, NOW + 16)
    assert (overdue.code, overdue.subject) == ("schedule-entry-overdue", "schedule tick")
    assert overdue.text == "due 6 s ago and not sent (every 10 seconds)"


def test_two_beats_are_noticed() -> None:
    state = watched(entry())
    for number in range(1, 5):
        run(state, NOW + 10 * number, f"a{number}")
        run(state, NOW + 10 * number + 3, f"b{number}")
    pass_time(state, NOW + 44)
    [twice] = found(state, NOW + 44)
    assert twice.code == "beat-twice"
    assert twice.text.startswith("running twice: tick sent at least twice each time")


def test_a_few_tasks_sent_by_hand_are_no_second_beat() -> None:
    state = watched(entry())
    for number in range(1, 8):
        run(state, NOW + 10 * number, f"a{number}")
    for number in range(3):
        run(state, NOW + 72 + number, f"by hand {number}")
    pass_time(state, NOW + 76)
    assert not found(state, NOW + 76)


def test_one_sender_is_one_beat() -> None:
    state = watched(entry(every=1.5, spacing=1.5))
    for number in range(12):
        id_ = f"run-{number}"
        sent = Event(
            "task-sent", "gen1@host", NOW + number, uuid=id_, name="app.tick",
            args="()", kwargs="{}", root_id=id_, queue="celery",
        )  # fmt: skip
        state.observe(EventBatch((sent,), NOW + number))
        run(state, NOW + number, id_)
    pass_time(state, NOW + 12)
    assert not found(state, NOW + 12)


def test_a_source_that_cannot_be_read_is_named() -> None:
    state = ClusterState()
    fault = Fault("app", "cannot read the schedule: no such table", "Run the migrations")
    state.observe(ScheduleRead("django-celery-beat", NOW, fault=fault))
    [unknown] = found(state, NOW)
    assert (unknown.code, unknown.incomplete) == ("schedule-unknown", True)
    assert str(unknown) == (
        "django-celery-beat: cannot read the schedule: no such table. Run the migrations"
    )
