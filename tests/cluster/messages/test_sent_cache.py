"""What workers tell of the tasks that they hold is kept, within bounds."""

from __future__ import annotations

import threading
from typing import Any

from celtop.cluster.messages.sent_cache import SentCache, from_worker
from celtop.model.operations.call import Call, RawMessage, SentTask, Source
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker

NOW = 1_800_000_000.0


def original(id_: str, source: Source = "worker", size: int = 10) -> SentTask:
    return SentTask(id_, Call("app.task", ("x" * size,)), source, NOW)


def item(id_: str = "a", **changes: Any) -> dict[str, Any]:
    delivery = {"exchange": "", "routing_key": "bills", "priority": 3, "redelivered": False}
    return {
        "id": id_,
        "name": "app.task",
        "args": [1, "ü"],
        "kwargs": {"b": None},
        "delivery_info": delivery,
        **changes,
    }


def test_each_answer_about_tasks_is_kept() -> None:
    originals = SentCache()
    originals.hear("active", [item("a")], NOW)
    originals.hear("reserved", [item("b")], NOW)
    originals.hear("scheduled", [{"eta": "2026", "request": item("c")}, None, {"eta": 1}], NOW)
    originals.hear("query_task", {"d": ["active", item("d")], "e": [], "f": None}, NOW)
    originals.hear("stats", {"a": 1}, NOW)
    for id_ in "abcd":
        known = originals.get(id_)
        assert known is not None
        assert known.call == Call("app.task", (1, "ü"), {"b": None}, queue="bills", priority=3)
        assert (known.source, known.seen_at) == ("worker", NOW)
    assert len(originals) == 4


def test_what_is_not_exact_is_not_kept() -> None:
    originals = SentCache()
    hostile: list[Any] = [
        item(args="(1, 'ü')", kwargs="{}"),
        item(args=[1], kwargs="{'b': None}"),
        item(args=None),
        item(name=None),
        item(name=""),
        item(id=7),
        item(id=["a"]),
        "text",
        None,
    ]
    originals.hear("active", hostile, NOW)
    replies: tuple[Any, ...] = ("text", {"a": 1}, None, 7, [[]])
    for reply in replies:
        for command in ("active", "reserved", "scheduled", "query_task"):
            originals.hear(command, reply, NOW)
    assert len(originals) == 0


def test_a_queue_is_told_only_where_no_exchange_chose_it() -> None:
    for delivery in (
        {"exchange": "geo", "routing_key": "geo.eu"},
        {"exchange": "", "routing_key": ""},
        {"routing_key": 7},
        None,
        "bills",
    ):
        known = from_worker(item(delivery_info=delivery), NOW)
        assert known is not None and known.call.queue is None


def test_the_better_source_wins_and_the_first_of_equals_stays() -> None:
    originals = SentCache()
    first = original("a", "backend")
    for one, wins in (
        (first, True),
        (original("a", "event"), False),
        (original("a", "backend", 99), False),
        (original("a", "worker"), True),
        (original("a", "backend"), False),
        (original("a", "queue"), True),
        (original("a", "unacked"), False),
    ):
        originals.keep(one)
        assert (originals.get("a") is one) is wins
    assert len(originals) == 1


def test_the_oldest_make_room() -> None:
    originals = SentCache(room=100_000)
    message = RawMessage(b"x" * 9_000, "application/json", "utf-8", {})
    for number in range(100):
        originals.keep(SentTask(str(number), Call("t"), "queue", NOW, message))
        originals.keep(original(f"big-{number}", size=200_000))
        assert originals.used <= 100_000
    assert originals.get("99") is not None and originals.get("0") is None
    assert 5 < len(originals) < 12


def test_nothing_is_counted_twice_when_threads_write_at_once() -> None:
    originals = SentCache(room=1 << 20)

    def write() -> None:
        for source in ("event", "backend", "worker", "queue"):
            for number in range(300):
                originals.keep(original(str(number), source))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = SentCache()
    for number in range(300):
        alone.keep(original(str(number), "queue"))
    assert (len(originals), originals.used) == (len(alone), alone.used)


def test_a_running_task_is_known_exactly_and_stays_so_when_it_is_done(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Any
) -> None:
    start_worker(redis_url, events=True)
    live = open_session(redis_url)
    text = "ü" * 5_000
    id_ = send(redis_url, "plain.slow", 1.5, queue="celery")
    other = send(redis_url, "plain.ok", text, countdown=60)
    live.until(lambda: id_ in live.state.tasks and other in live.state.tasks)
    originals = live.session._inspector.originals
    live.session.refresh()
    live.until(lambda: originals.get(id_) and originals.get(other))
    waiting = originals.get(other)
    assert waiting is not None and waiting.call.args == (text,) and waiting.call.queue == "celery"
    live.until(lambda: live.state.tasks[id_].finished)
    live.session.refresh()
    live.until(lambda: live.session.refreshed)
    assert originals.get(id_) is not None
