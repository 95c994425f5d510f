from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from celtop.export.encoding.json import encode
from celtop.export.encoding.text import render
from celtop.export.snapshot.document import snapshot_document
from celtop.export.snapshot.snapshot import take_snapshot
from celtop.model.entities.fault import Fault
from celtop.model.entities.messages.delayed import Delayed, DelayLevel
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.task import Attempt, Progress
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import (
    ConnectionChanged,
    DelayedMeasured,
    EventsDropped,
    InspectReply,
    OperationChanged,
    QuestionsAnswered,
    QueueMeasured,
    ResultsRead,
)
from celtop.model.operations.commands import Retry, Revoke
from celtop.model.operations.outcome import Answer, Outcome, PublishedTask
from celtop.model.state import ClusterState

from ..conftest import HOSTILE, NOW, context, receive, run_task

CONTRACT = {
    "": "schema taken_at notes broker totals workers queues tasks findings windows delayed",
    "broker": "url transport status error latency_s commands_sent",
    "totals": "tasks events events_lost events_malformed succeeded_per_s failed_per_s corrected",
    "workers": "name status pool concurrency active reserved scheduled processed queues load "
    "heartbeat_age_s pid version prefetch rss_bytes clock_skew_s events_enabled limits "
    "silent failed uptime_s",
    "queues": "name waiting unacked consumers by_priority oldest_age_s in_per_s out_per_s drain_s "
    "oldest_age_at_least_s measured_at unacked_at_least held kind bytes max_priority "
    "delayed statistics_at "
    "runnable_age_s runnable_age_at_least_s due_at slots_busy slots_total slots_shared reserved "
    "backlog capacity_per_s more_slots",
    "tasks": "id name state worker queue args kwargs result exception traceback sent_at "
    "received_at started_at finished_at eta_at expires_at runtime_s waited_s retries progress "
    "attempts root_id parent_id group_id sources revoke_requested_at retry_of retried_as "
    "time_left_s estimate lost_at loss backend_state created_at periodic_task_name "
    "held_by_rate_limit redelivery_at",
    "findings": "code severity subject text evidence next_step since_at grew_at",
}


def printed(state: ClusterState) -> Any:
    return json.loads(encode(take_snapshot(state, NOW)))


def by_name(rows: list[dict[str, object]], name: str) -> dict[str, object]:
    (row,) = [row for row in rows if row["name"] == name]
    return row


def notes_on(state: ClusterState, subject: str) -> str:
    """Return the notes on a subject, also those on several of its kind."""
    kind, _, name = subject.partition(" ")
    texts = []
    for note in take_snapshot(state, NOW).notes:
        plural, _, names = note.subject.partition(" ")
        shared = plural == f"{kind}s" and (not names or name in names)
        if note.subject == subject or (name and shared):
            texts.append(note.text)
    return "\n".join(texts)


def test_the_contract_has_every_field_in_order(state: ClusterState) -> None:
    run_task(state, 1, {"type": "task-succeeded", "result": "3", "runtime": 0.5})
    data = printed(state)
    assert list(data) == CONTRACT.pop("").split()
    for part, fields in CONTRACT.items():
        record = data[part]
        rows = record if isinstance(record, list) else [record]
        assert rows
        for row in rows:
            assert list(row) == fields.split()


def test_a_worker_that_reported_everything(state: ClusterState) -> None:
    snapshot = take_snapshot(state, NOW)
    assert [worker.name for worker in snapshot.workers] == ["old@b", "w1@a"]
    assert msgspec.to_builtins(snapshot.workers[1]) == {
        "name": "w1@a",
        "status": "online",
        "pool": "prefork",
        "concurrency": 4,
        "active": 0,
        "reserved": 0,
        "scheduled": 0,
        "processed": 9,
        "queues": ["celery"],
        "load": [0.5, 0.25, 0.125],
        "heartbeat_age_s": 0.5,
        "pid": 7,
        "version": "5.4.0",
        "prefetch": 16,
        "rss_bytes": 2048 * 1024,
        "clock_skew_s": 1.0,
        "events_enabled": None,
        "limits": {"app.add": {"rate": "10/m", "soft_s": None, "hard_s": 60.0}},
        "silent": False,
        "failed": 0,
        "uptime_s": None,
    }
    assert "events_enabled unknown" in notes_on(state, "worker w1@a")


def test_pending_revocations_are_shown_and_retries_linked(
    state: ClusterState,
) -> None:
    failed = run_task(state, 1, {"type": "task-failed", "exception": "E()", "traceback": "E"})
    waiting = run_task(state, 2, {})
    receive(state, {"type": "task-received", "uuid": "w", "timestamp": NOW, "name": "app.add"})
    answers = {name: Answer("confirmed") for name in (failed, "w")}
    revoked = Outcome(1, Revoke((failed, "w"), ("w1@a",)), NOW, NOW, targets=answers)
    state.observe(OperationChanged(revoked, NOW))
    sent = PublishedTask("n", "app.add", "celery", NOW, retry_of=failed)
    retried = Outcome(2, Retry(()), NOW, NOW, targets={failed: Answer("confirmed")}, sent=(sent,))
    state.observe(OperationChanged(retried, NOW))
    tasks = {task.id: task for task in take_snapshot(state, NOW).tasks}
    assert tasks["w"].revoke_requested_at == "2026-09-21T14:13:20.000Z"
    assert tasks[failed].revoke_requested_at is tasks[waiting].revoke_requested_at is None
    assert (tasks["n"].retry_of, tasks[failed].retried_as) == (failed, "n")
    assert (tasks["n"].state, tasks["n"].sources) == ("PENDING", ["sending"])


def test_progress_and_corrections(state: ClusterState) -> None:
    for number in range(10, 16):
        run_task(state, number, {"type": "task-succeeded", "result": "3", "runtime": 100.0})
    moving, estimated, lost, ended = (run_task(state, number, {}) for number in range(20, 24))
    for at, percent in ((NOW - 30, 20), (NOW - 20, 40), (NOW - 10, 60)):
        meta = ResultMeta(moving, "PROGRESS", {"progress": percent, "status": "reading"})
        state.observe(ResultsRead((meta,), at, "push"))
    state.observe(InspectReply("w1@a", "query_task", {}, NOW - 9, requested_ids=(lost, ended)))
    done = ResultMeta(ended, "SUCCESS", 3, done_at=NOW - 12)
    state.observe(ResultsRead((done,), NOW - 8, "poll"))
    state.tick(NOW)
    snapshot = take_snapshot(state, NOW)
    tasks = {task.id: task for task in snapshot.tasks}
    assert tasks[moving].time_left_s == pytest.approx(10.0)
    assert tasks[moving].estimate is None
    progress, estimate = tasks[moving].progress, tasks[estimated].estimate
    assert progress is not None and estimate is not None
    assert (progress.fraction, progress.text, progress.source) == (0.6, "reading", "backend")
    assert estimate.source == "estimate" and estimate.fraction == pytest.approx(0.4, rel=0.1)
    assert (tasks[estimated].time_left_s, tasks[estimated].progress) == (None, None)
    assert (tasks[lost].loss, tasks[lost].lost_at) == ("unheard", "2026-09-21T14:13:20.000Z")
    assert (tasks[ended].state, tasks[ended].sources) == ("SUCCESS", ["event", "backend"])
    assert snapshot.totals.corrected == {"finished": 1}


def test_a_worker_that_reported_nothing_is_null_with_reasons(state: ClusterState) -> None:
    worker = take_snapshot(state, NOW).workers[0]
    assert worker.status == "offline"
    assert worker.heartbeat_age_s == 90.0
    notes = notes_on(state, "worker old@b")
    for field, value in msgspec.to_builtins(worker).items():
        assert (value is None) == (field in notes), field


def test_each_null_of_a_queue_has_a_reason(state: ClusterState) -> None:
    for queue in take_snapshot(state, NOW).queues:
        notes = notes_on(state, f"queue {queue.name}")
        for field, value in msgspec.to_builtins(queue).items():
            if field in ("kind", "bytes", "max_priority", "statistics_at"):
                continue  # only on RabbitMQ
            explained = field in notes or "no queue of this name" in notes
            explained |= field == "oldest_age_at_least_s" and queue.oldest_age_s is not None
            explained |= field == "unacked_at_least" and queue.unacked is not None
            explained |= field.startswith("runnable_age") and queue.waiting == 0
            explained |= field == "runnable_age_at_least_s" and queue.runnable_age_s is not None
            explained |= field == "due_at"  # some message may run now, or none is waiting
            explained |= field.startswith("oldest_age") and queue.waiting == 0
            assert value is not None or explained, (queue.name, field)


def test_a_queue_without_consumers_never_drains(state: ClusterState) -> None:
    state.tick(NOW)
    queue = by_name(printed(state)["queues"], "idle")
    assert (
        queue.items()
        >= {
            "name": "idle",
            "waiting": 7,
            "unacked": 0,
            "consumers": [],
            "by_priority": {"0": 7, "3": 0},
            "oldest_age_s": None,
            "in_per_s": 0.25,
            "out_per_s": 0.0,
            "drain_s": None,
            "oldest_age_at_least_s": 20.0,
            "measured_at": "2026-09-21T14:13:20.000Z",
            "slots_busy": 0,
            "slots_total": 0,
            "backlog": 7,
        }.items()
    )
    assert notes_on(state, "queue idle").splitlines() == [
        "7 messages waiting, no consumers. Start a worker for it, or add a consumer",
        "more_slots unknown: no run times of its tasks are known",
        "oldest_age_s unknown: the send time is unknown, only the minimum is observed",
        "runnable_age_s, runnable_age_at_least_s unknown: the send time of the oldest message is "
        "unknown",
        "drain_s: never at the current rates",
    ]


def test_a_note_on_several_queues_appears_once(state: ClusterState) -> None:
    for name in ("fresh", "new"):
        state.observe(QueueMeasured(name, NOW, waiting=0, unacked=0))
    reason = "in_per_s, out_per_s unknown: too few measurements yet"
    notes = take_snapshot(state, NOW).notes
    assert [note.subject for note in notes if note.text == reason] == [
        "queues celery, fresh and new"
    ]
    del state.queues["idle"], state.queues["remote"]
    notes = take_snapshot(state, NOW).notes
    assert [note.subject for note in notes if note.text == reason] == ["queues"]


def test_an_empty_queue_has_no_oldest_message(state: ClusterState) -> None:
    queue = by_name(printed(state)["queues"], "celery")
    assert (queue["waiting"], queue["oldest_age_s"]) == (0, None)
    assert "oldest_age" not in notes_on(state, "queue celery")


def test_unknown_rates_have_a_reason(state: ClusterState) -> None:
    receive(state, {"type": "worker-online", "hostname": "new@c", "timestamp": NOW})
    state.tick(NOW)
    state.observe(QueueMeasured("idle", NOW, waiting=7, unacked=0))
    queue = take_snapshot(state, NOW).queues[1]
    assert queue.consumers is None
    assert (queue.name, queue.in_per_s, queue.out_per_s) == ("idle", None, None)
    assert notes_on(state, "queue idle").splitlines() == [
        "consumers, slots_busy, slots_total, slots_shared, reserved, backlog, capacity_per_s "
        "unknown: the queues of new@c are unknown (no reply yet)",
        "rates unknown: the queues of new@c are unknown (no reply yet)",
        "oldest_age_s, oldest_age_at_least_s, runnable_age_s, runnable_age_at_least_s unknown: "
        "the send time of the oldest message is unknown",
        "drain_s, more_slots unknown: they follow from waiting, in_per_s and out_per_s",
    ]


def test_messages_that_may_not_run_yet_have_no_runnable_age(state: ClusterState) -> None:
    seen = QueueMeasured("later", NOW, 2, runnable=(), due_at=NOW + 60)
    state.observe(seen)
    queue = by_name(printed(state)["queues"], "later")
    assert (queue["runnable_age_s"], queue["due_at"]) == (None, "2026-09-21T14:14:20.000Z")
    assert "no waiting message may run before due_at" in notes_on(state, "queue later")


def test_queues_that_were_never_measured_may_be_missing() -> None:
    state = ClusterState(max_tasks=10)
    assert "not measured yet" in notes_on(state, "queues")
    state.observe(QuestionsAnswered(("depths",), NOW))
    assert "not measured yet" not in notes_on(state, "queues")


def test_unknown_depths_have_a_reason(state: ClusterState) -> None:
    state.observe(QueueMeasured("far", NOW, waiting=3, consumer_count=2))
    notes = notes_on(state, "queue far")
    assert "unacked unknown: not available on this broker" in notes
    assert "2 according to the broker" in notes
    assert "no consumers" not in notes


def test_tasks_are_sorted_by_arrival_with_times_in_utc(state: ClusterState) -> None:
    first = run_task(state, 1, {"type": "task-succeeded", "result": "3", "runtime": 0.5})
    second = run_task(state, 2, {"type": "task-failed", "exception": "E()", "traceback": "T\nE"})
    third = run_task(state, 3, {}, eta="2026-09-21T14:13:30+00:00")
    tasks = take_snapshot(state, NOW).tasks
    assert [task.id for task in tasks] == [first, second, third]
    assert msgspec.to_builtins(tasks[0]) == {
        "id": first,
        "name": "app.add",
        "state": "SUCCESS",
        "worker": "w1@a",
        "queue": "celery",
        "args": "(1, 2)",
        "kwargs": "{}",
        "result": "3",
        "exception": None,
        "traceback": None,
        "sent_at": None,
        "received_at": "2026-09-21T14:12:21.000Z",
        "started_at": "2026-09-21T14:12:22.000Z",
        "finished_at": "2026-09-21T14:12:23.000Z",
        "eta_at": None,
        "expires_at": None,
        "runtime_s": 0.5,
        "waited_s": 1.0,
        "retries": 0,
        "progress": None,
        "attempts": [],
        "root_id": None,
        "parent_id": None,
        "group_id": None,
        "sources": ["event"],
        "revoke_requested_at": None,
        "retry_of": None,
        "retried_as": None,
        "time_left_s": None,
        "estimate": None,
        "lost_at": None,
        "loss": None,
        "backend_state": None,
        "created_at": None,
        "periodic_task_name": None,
        "held_by_rate_limit": None,
        "redelivery_at": None,
    }
    assert (tasks[1].exception, tasks[1].traceback) == ("E()", "T\nE")
    assert tasks[2].state == "STARTED"
    assert tasks[2].runtime_s == 56.0
    assert tasks[2].eta_at == "2026-09-21T14:13:30.000Z"
    assert take_snapshot(state, NOW).totals.tasks == {"FAILURE": 1, "STARTED": 1, "SUCCESS": 1}


def test_attempts_and_progress_are_objects(state: ClusterState) -> None:
    task_id = run_task(state, 1, {})
    task = state.tasks[task_id]
    task.attempts = (Attempt(0, "RETRY", "w1@a", NOW - 9, NOW - 8, NOW - 7, "Timeout()", "Trace"),)
    task.progress = Progress(fraction=0.25, current=1.0, total=4.0, text="step 1")
    (row,) = printed(state)["tasks"]
    assert row["attempts"] == [
        {
            "number": 0,
            "state": "RETRY",
            "worker": "w1@a",
            "received_at": "2026-09-21T14:13:11.000Z",
            "started_at": "2026-09-21T14:13:12.000Z",
            "finished_at": "2026-09-21T14:13:13.000Z",
            "exception": "Timeout()",
            "traceback": "Trace",
        }
    ]
    assert row["progress"] == {
        "fraction": 0.25,
        "current": 1.0,
        "total": 4.0,
        "text": "step 1",
        "source": "event",
    }


def test_redaction_applies_to_every_text_of_a_task() -> None:
    secret = "hunter2"

    def encoded(state: ClusterState) -> bytes:
        error = {"exception": f"E({secret})", "traceback": secret}
        texts: dict[str, object] = {"args": secret, "kwargs": secret}
        run_task(state, 1, {"type": "task-succeeded", "result": secret}, **texts)
        run_task(state, 2, {"type": "task-failed", **error}, **texts)
        retried = run_task(state, 3, {"type": "task-retried", **error}, **texts)
        again = {"type": "task-received", "uuid": retried, "retries": 1, "timestamp": NOW}
        receive(state, again)
        assert state.tasks[retried].attempts
        running = run_task(state, 4, {}, **texts)
        meta = ResultMeta(running, "PROGRESS", {"progress": 40, "status": secret})
        state.observe(ResultsRead((meta,), NOW, "push"))
        return encode(take_snapshot(state, NOW))

    assert encoded(ClusterState()).count(secret.encode()) == 14
    redacted = encoded(ClusterState(redaction=Redaction([secret])))
    assert secret.encode() not in redacted
    assert redacted.count(b"***") == 14


def test_a_lost_broker(state: ClusterState) -> None:
    fault = Fault("refused", "nobody listens on port 6379", "Start Redis")
    state.observe(ConnectionChanged("lost", NOW, fault, 2.0))
    broker = take_snapshot(state, NOW).broker
    assert msgspec.to_builtins(broker) == {
        "url": "redis://***@localhost/0",
        "transport": "redis",
        "status": "lost",
        "error": "nobody listens on port 6379. Start Redis",
        "latency_s": 0.0042,
        "commands_sent": 12,
    }
    assert "before that" in notes_on(state, "broker")


def test_lost_and_malformed_events_are_counted(state: ClusterState) -> None:
    state.observe(EventsDropped(heartbeats=2, others=3, at=NOW))
    receive(state, {"type": "task-received"})
    totals = take_snapshot(state, NOW).totals
    assert (totals.events_lost, totals.events_malformed) == (5, 1)
    notes = notes_on(state, "events")
    assert "3 events dropped, because they arrived faster" in notes
    assert "2 heartbeats dropped" in notes
    assert "1 unreadable event:" in notes


def test_evicted_tasks_are_counted() -> None:
    state = ClusterState(max_tasks=10)
    for number in range(15):
        run_task(state, number, {"type": "task-succeeded", "result": "1", "runtime": 0.1})
    snapshot = take_snapshot(state, NOW)
    note = f"{15 - len(snapshot.tasks):,} tasks removed to stay within the memory limits"
    assert len(snapshot.tasks) <= 10
    assert note in notes_on(state, "tasks")
    assert snapshot.windows.failed_since_at is None
    assert snapshot.windows.succeeded_since_at is not None
    assert sum(snapshot.totals.tasks.values()) == len(snapshot.tasks)


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_json_has_neither_infinity_nor_nan(state: ClusterState, bad: float) -> None:
    task = state.tasks[run_task(state, 1, {})]
    task.runtime = task.eta_at = bad
    task.progress = Progress(fraction=bad)
    state.workers["w1@a"].clock_skew = bad
    state.queues["celery"].in_per_s = bad

    def refuse(name: str) -> None:
        raise AssertionError(name)

    snapshot = take_snapshot(state, NOW)
    data = json.loads(encode(snapshot), parse_constant=refuse)
    assert data["tasks"][0]["runtime_s"] is None
    assert snapshot.tasks[0].progress is not None
    assert snapshot.tasks[0].progress.fraction is None
    assert snapshot.workers[1].clock_skew_s is None


def test_json_is_always_valid_utf8(state: ClusterState) -> None:
    run_task(state, 1, {}, args=HOSTILE)
    state.workers["w1@a"].pool = "lone \ud800 surrogate"
    out = encode(take_snapshot(state, NOW))
    data = json.loads(out.decode("utf-8", "strict"))
    assert data["tasks"][0]["args"] == HOSTILE
    assert b"\x1b" not in out
    assert data["workers"][1]["pool"] == "lone \\ud800 surrogate"
    assert out.startswith(b'{\n  "schema": "celtop.snapshot/1",\n')
    assert out.endswith(b"}\n")


def test_delayed_messages_on_rabbitmq(state: ClusterState) -> None:
    state.observe(
        QueueMeasured(
            "celery", NOW, 0, unacked=2, queue_kind="quorum", message_bytes=120, statistics_at=NOW
        )
    )
    levels = (DelayLevel(4, 1), DelayLevel(0, 2, undeliverable=2))
    state.observe(DelayedMeasured(Delayed(levels, NOW), NOW))
    data = printed(state)
    assert data["delayed"]["messages"] == 3
    assert data["delayed"]["text"] == "1 within 31 s, 2 overdue"
    assert [due["undeliverable"] for due in data["delayed"]["due"]] == [True, False]
    queue = by_name(data["queues"], "celery")
    assert (queue["kind"], queue["bytes"], queue["delayed"]) == ("quorum", 120, None)
    assert queue["statistics_at"] == data["delayed"]["measured_at"]
    assert "delayed unknown" in notes_on(state, "queue celery")
    text = render(snapshot_document(context(state)), 120)
    assert "waiting for their time: 3 (1 within 31 s, 2 overdue)" in text
