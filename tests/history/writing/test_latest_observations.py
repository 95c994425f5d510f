from __future__ import annotations

from celtop.history.rows import StoredObservation
from celtop.history.writing.latest_observations import MAX_BODY, MAX_SILENCE, LatestObservations
from celtop.model.entities.fault import NO_REPLY
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import InspectReply, QuestionsFailed, QueueHead, QueueMeasured
from celtop.model.records.record import decode_record
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.streams import NOW, WORKER, Script, decode_fields

STATS = InspectReply(WORKER, "stats", {"pid": 7, "uptime": 60}, NOW)


def rows(
    latest: LatestObservations, state: ClusterState, now: float = NOW
) -> dict[str, StoredObservation]:
    return {row.subject: row for row in latest.rows("shop", state, now)}


def test_of_each_subject_the_latest_observation_is_written_once() -> None:
    latest, state = LatestObservations(Redaction()), ClusterState()
    for name in (WORKER, "a@h", "b@h"):
        state.observe(InspectReply(name, "ping", {}, NOW))
    for waiting in (1, 2):
        latest.observe(QueueMeasured("mail", NOW + waiting, waiting))
    latest.observe(STATS)
    latest.observe(QuestionsFailed("worker", ("stats", "ping"), NOW, NO_REPLY, ("a@h", "b@h")))
    found = rows(latest, state)
    assert found.keys() == {
        "queue mail", f"reply stats {WORKER}", "no reply stats a@h", "no reply stats b@h", "workers"
    }  # fmt: skip
    assert decode_record(found["queue mail"].body.encode()).observation == QueueMeasured(
        "mail", NOW + 2, 2
    )
    assert decode_record(found[f"reply stats {WORKER}"].body.encode()).observation == STATS
    assert rows(latest, state, NOW + 0.5) == {}


def test_a_measurement_is_completed_by_what_events_have_shown() -> None:
    latest, state = LatestObservations(Redaction()), ClusterState()
    state.observe(decode_fields(Script("next").sent().events, NOW))
    seen = QueueMeasured("mail", NOW, 1, heads=(QueueHead("next"), QueueHead("other")))
    state.observe(seen)
    latest.observe(seen)
    state.queues["mail"].out_per_s = 0.5
    found = decode_record(rows(latest, state)["queue mail"].body.encode()).observation
    assert isinstance(found, QueueMeasured)
    assert (found.out_per_s, found.notes) == (0.5, state.queues["mail"].notes)
    assert [head.sent_at for head in found.heads] == [state.tasks["next"].sent_at, None]
    copied = ClusterState()
    copied.observe(found)
    assert copied.queues["mail"].out_per_s == 0.5


def test_a_sign_of_life_restores_a_worker() -> None:
    state, copied = ClusterState(), ClusterState()
    beat = Event(
        "worker-heartbeat", WORKER, NOW + 3, pid=7, freq=2.0, active=1, processed=9,
        loadavg=(1.0, 2.0, 3.0), sw_ident="py-celery", sw_ver="5.4.0",
    )  # fmt: skip
    state.observe(EventBatch((beat,), NOW))
    (row,) = LatestObservations(Redaction()).rows("shop", state, NOW + 1)
    found = decode_record(row.body.encode()).observation
    assert found is not None
    copied.observe(found)
    worker, again = state.workers[WORKER], copied.workers[WORKER]
    for name in ("pid", "active", "processed", "load", "software_version", "clock_skew"):
        assert getattr(again, name) == getattr(worker, name)
    assert again.last_seen_at == NOW


def test_a_worker_that_is_gone_is_removed_with_its_replies() -> None:
    latest, state = LatestObservations(Redaction()), ClusterState()
    state.observe(STATS)
    latest.observe(STATS)
    assert rows(latest, state, NOW)[f"reply stats {WORKER}"].body
    gone = rows(latest, state, NOW + MAX_SILENCE + 1)
    assert {subject: row.body for subject, row in gone.items()} == {
        f"reply stats {WORKER}": "", "workers": ""
    }  # fmt: skip


def test_secrets_are_masked_and_huge_replies_left_out() -> None:
    latest, state = LatestObservations(Redaction(("card",))), ClusterState()
    for name in ("a@h", "b@h"):
        state.observe(InspectReply(name, "ping", {}, NOW))
    task = {"id": "x", "name": "pay", "kwargs": {"card": "4111"}}
    latest.observe(InspectReply("a@h", "active", [task], NOW))
    latest.observe(InspectReply("b@h", "active", [{**task, "args": "x" * MAX_BODY}], NOW))
    found = rows(latest, state)
    assert "4111" not in found["reply active a@h"].body
    assert "reply active b@h" not in found
