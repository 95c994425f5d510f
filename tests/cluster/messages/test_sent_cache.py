"""Calls in workers' replies are cached, within bounds."""

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


def test_each_reply_about_tasks_is_cached() -> None:
    cache = SentCache()
    cache.add_reply("active", [item("a")], NOW)
    cache.add_reply("reserved", [item("b")], NOW)
    cache.add_reply("scheduled", [{"eta": "2026", "request": item("c")}, None, {"eta": 1}], NOW)
    cache.add_reply("query_task", {"d": ["active", item("d")], "e": [], "f": None}, NOW)
    cache.add_reply("stats", {"a": 1}, NOW)
    for id_ in "abcd":
        known = cache.get(id_)
        assert known is not None
        assert known.call == Call("app.task", (1, "ü"), {"b": None}, queue="bills", priority=3)
        assert (known.source, known.seen_at) == ("worker", NOW)
    assert len(cache) == 4


def test_an_inexact_call_is_not_cached() -> None:
    cache = SentCache()
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
    cache.add_reply("active", hostile, NOW)
    replies: tuple[Any, ...] = ("text", {"a": 1}, None, 7, [[]])
    for reply in replies:
        for command in ("active", "reserved", "scheduled", "query_task"):
            cache.add_reply(command, reply, NOW)
    assert len(cache) == 0


def test_the_queue_is_known_only_without_an_exchange() -> None:
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
    cache = SentCache()
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
        cache.add(one)
        assert (cache.get("a") is one) is wins
    assert len(cache) == 1


def test_the_oldest_calls_are_dropped() -> None:
    cache = SentCache(max_bytes=100_000)
    message = RawMessage(b"x" * 9_000, "application/json", "utf-8", {})
    for number in range(100):
        cache.add(SentTask(str(number), Call("t"), "queue", NOW, message))
        cache.add(original(f"big-{number}", size=200_000))
        assert cache.used <= 100_000
    assert cache.get("99") is not None and cache.get("0") is None
    assert 5 < len(cache) < 12


def test_nothing_is_counted_twice_when_threads_write_at_once() -> None:
    cache = SentCache(max_bytes=1 << 20)

    def write() -> None:
        for source in ("event", "backend", "worker", "queue"):
            for number in range(300):
                cache.add(original(str(number), source))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = SentCache()
    for number in range(300):
        alone.add(original(str(number), "queue"))
    assert (len(cache), cache.used) == (len(alone), alone.used)


def test_a_running_task_stays_cached_when_it_is_finished(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, send: Any
) -> None:
    start_worker(redis_url, events=True)
    live = open_session(redis_url)
    text = "ü" * 5_000
    id_ = send(redis_url, "plain.slow", 1.5, queue="celery")
    other = send(redis_url, "plain.ok", text, countdown=60)
    live.until(lambda: id_ in live.state.tasks and other in live.state.tasks)
    cache = live.session._observers.polling.inspector.sent_cache
    live.session.refresh()
    live.until(lambda: cache.get(id_) and cache.get(other))
    waiting = cache.get(other)
    assert waiting is not None and waiting.call.args == (text,) and waiting.call.queue == "celery"
    live.until(lambda: live.state.tasks[id_].finished)
    live.session.refresh()
    live.until(lambda: live.session.refreshed)
    assert cache.get(id_) is not None
