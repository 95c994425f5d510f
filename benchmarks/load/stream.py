"""A stream of Celery events in the exact format of Celery and kombu, encoded beforehand.

Celery's own `EventDispatcher` writes the messages through kombu's Redis channel; only the last
step, PUBLISH, is caught. Publishing later costs a socket write for each few messages, so that on
a small machine the processor belongs to the subject.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import random
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from celery import Celery
from celery.events import EventDispatcher
from kombu.utils import json

from .server import port_of

WORKERS = tuple(f"celery@bench-{number}" for number in range(1, 5))
TASK_NAMES = (
    *("images.download", "images.make_thumbnail", "codes.make_qr", "geo.convert_to_raster"),
    *("reports.weekly", "mail.send_receipt", "search.update_index", "billing.charge_card"),
)
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/srv/app/tasks.py", line 7, in charge\n'
    "    raise ValueError(number)\n"
)
EVENTS_PER_TASK = 3
TICK = 0.002
"""Seconds that publishing sleeps at least: a finer pace would only burn the processor."""
PREFETCH = 4
"""How many tasks of a worker are received and not yet finished."""


@dataclass(frozen=True, slots=True)
class Message:
    """One PUBLISH command, ready for the socket."""

    due: float
    """Seconds after the start of the stream."""
    events: int
    command: bytes


def encode(
    url: str,
    tasks: int,
    *,
    batch: int = 20,
    per_second: float = 30_000.0,
    start: float | None = None,
    seed: str = "",
    fail_every: int | None = None,
    workers: Sequence[str] = WORKERS,
) -> list[Message]:
    """The messages of `tasks` tasks, each received, started and succeeded or failed.

    Args:
        url: The broker that the stream is for; its database number is in the channel's name.
        tasks: How many tasks, spread over the workers.
        batch: Events in a message: lists on `task.multi`, as workers send them; 1: single ones.
        per_second: The pace in events per second. The default is about what all the workers of a
            machine can publish.
        start: Epoch at which publishing will begin: the events' timestamps follow the pace.
        seed: Another seed gives other task ids.
        fail_every: One of so many tasks of each worker fails, beginning with its first.
        workers: The workers that run them.
    """
    start = start or time.time()
    total = tasks * EVENTS_PER_TASK
    step = 1 / per_second
    caught = _Caught(url, workers)
    turns = [_life(worker, share, seed, fail_every) for worker, share in _shares(tasks, workers)]
    messages = [
        caught.heartbeat(worker, start + second + phase, due=second + phase)
        for second in range(0, int(total * step) + 1, 2)
        for worker, phase in _phases(workers)
        if second + phase <= total * step
    ]
    sent = 0
    for turn, worker in itertools.cycle(zip(turns, workers, strict=True)):
        events = list(itertools.islice(turn, batch))
        if not events:
            if sent >= total:
                break
            continue
        due = sent * step
        stamped = [
            (kind, {**fields, "timestamp": start + due + position * step})
            for position, (kind, fields) in enumerate(events)
        ]
        messages.append(caught.batch(worker, stamped, due))
        sent += len(events)
    messages.sort(key=lambda message: message.due)
    return messages


def started(url: str, tasks: int) -> tuple[list[Message], list[str]]:
    """The messages of tasks, spread over the workers, that start and do not end; and their ids."""
    start = time.time()
    caught = _Caught(url)
    messages, ids = [], []
    for worker, share in _shares(tasks):
        received = (each for kind, each in _life(worker, share, "run") if kind == "task-received")
        for fields in received:
            ids.append(fields["uuid"])
            events = [
                (kind, {**fields, "timestamp": start}) for kind in ("task-received", "task-started")
            ]
            messages.append(caught.batch(worker, events, due=0.0))
    return messages, ids


@contextlib.contextmanager
def beating(url: str, workers: Sequence[str] = WORKERS) -> Iterator[None]:
    """Workers that send heartbeats as long as the block lasts."""
    caught = _Caught(url, workers)
    enough = threading.Event()

    def beat() -> None:
        while not enough.is_set():
            # The receiver may have ended, which its measurement reports.
            with contextlib.suppress(RuntimeError):
                publish(url, [caught.heartbeat(worker, time.time()) for worker in workers])
            enough.wait(2)

    beats = threading.Thread(target=beat)
    beats.start()
    try:
        yield
    finally:
        enough.set()
        beats.join()


def events_in(messages: Iterable[Message]) -> int:
    """How many events the messages hold, heartbeats included."""
    return sum(message.events for message in messages)


def task_events_in(messages: Iterable[Message]) -> int:
    """How many of them are about tasks."""
    return sum(message.events for message in messages if b"celeryev/task." in message.command[:80])


def publish(url: str, messages: Sequence[Message], *, window: int = 64) -> float:
    """Publish all messages when they are due; return the seconds it took.

    Args:
        url: The broker.
        messages: From `encode`, for the same broker.
        window: How many are written at most before the broker's answers are read.

    Raises:
        RuntimeError: One of them had no receiver, so nothing would be measured.
    """
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port_of(url))) as connection:
        replies = connection.makefile("rb")
        position = 0
        while position < len(messages):
            elapsed = time.monotonic() - begun
            group = list(
                itertools.takewhile(
                    lambda message: message.due <= elapsed,  # noqa: B023 - consumed at once
                    messages[position : position + window],
                )
            )
            if not group:
                time.sleep(max(messages[position].due - elapsed, TICK))
                continue
            connection.sendall(b"".join(message.command for message in group))
            for _ in group:
                reply = replies.readline()
                if not reply.startswith(b":") or reply == b":0\r\n":
                    raise RuntimeError(f"a message reached no subscriber: {reply!r}")
            position += len(group)
    return time.monotonic() - begun


def _phases(workers: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Yield each worker, and when it sends a heartbeat within two seconds: evenly spread."""
    for position, worker in enumerate(workers):
        yield worker, 2.0 * position / len(workers)


def _shares(tasks: int, workers: Sequence[str] = WORKERS) -> Iterator[tuple[str, int]]:
    whole, rest = divmod(tasks, len(workers))
    for position, worker in enumerate(workers):
        yield worker, whole + (position < rest)


def failures_in(tasks: int, fail_every: int) -> int:
    """How many of `tasks` tasks fail in `encode`."""
    return sum(math.ceil(share / fail_every) for _, share in _shares(tasks))


def _life(
    worker: str, tasks: int, seed: str, fail_every: int | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A worker's task events in its order: a few received ahead, one started and finished."""
    draw = random.Random(worker + seed)
    waiting: list[str] = []
    for number in range(tasks + PREFETCH):
        if number < tasks:
            task_id = str(uuid.UUID(int=draw.getrandbits(128), version=4))
            waiting.append(task_id)
            yield (
                "task-received",
                {
                    "uuid": task_id,
                    "name": draw.choice(TASK_NAMES),
                    "args": f"('https://example.org/item/{number}', {number})",
                    "kwargs": f"{{'width': 640, 'height': 480, 'user': 'user-{number % 997}'}}",
                    "root_id": task_id,
                    "parent_id": None,
                    "retries": 0,
                    "eta": None,
                    "expires": None,
                },
            )
        if number >= PREFETCH:
            task_id = waiting.pop(0)
            yield "task-started", {"uuid": task_id}
            runtime = round(draw.expovariate(4.0), 6)
            if fail_every and (number - PREFETCH) % fail_every == 0:
                exception = f"ValueError({number})"
                yield (
                    "task-failed",
                    {"uuid": task_id, "exception": exception, "traceback": TRACEBACK + exception},
                )
                continue
            yield (
                "task-succeeded",
                {"uuid": task_id, "result": f"{{'size': {number}}}", "runtime": runtime},
            )


class _Caught:
    """Celery's event dispatchers, with the last step before the socket caught."""

    def __init__(self, url: str, workers: Sequence[str] = WORKERS) -> None:
        self.app = Celery("stream", broker=url, fixups=set(), set_as_current=False)
        self.channel = self.app.connection_for_write(url).channel()
        self.channel._put_fanout = self._put_fanout
        self.dispatchers = {
            worker: EventDispatcher(
                channel=self.channel,
                app=self.app,
                hostname=worker,
                buffer_group={"task"},
                buffer_limit=1_000_000,
            )
            for worker in workers
        }
        self.command = b""

    def _put_fanout(
        self, exchange: str, message: dict[str, Any], routing_key: str, **_: object
    ) -> None:
        topics = self.channel._get_publish_topics(exchange, routing_key)
        payload = json.dumps(message).encode()
        [topic] = topics
        self.command = command(b"PUBLISH", topic.encode(), payload)

    def heartbeat(self, worker: str, timestamp: float, due: float = 0.0) -> Message:
        self.dispatchers[worker].send(
            "worker-heartbeat",
            timestamp=timestamp,
            freq=2.0,
            active=PREFETCH,
            processed=0,
            loadavg=[0.5, 0.4, 0.3],
            sw_ident="py-celery",
            sw_ver="5.7.0",
            sw_sys="Linux",
        )
        return Message(due, 1, self.command)

    def batch(
        self, worker: str, events: Sequence[tuple[str, dict[str, Any]]], due: float
    ) -> Message:
        dispatcher = self.dispatchers[worker]
        if len(events) == 1:
            [(kind, fields)] = events
            dispatcher.publish(kind, fields, dispatcher.producer)
        else:
            for kind, fields in events:
                dispatcher.send(kind, **fields)
            dispatcher.flush()
        return Message(due, len(events), self.command)


def command(*words: bytes) -> bytes:
    """A command as Redis reads it."""
    parts = [b"*%d\r\n" % len(words)]
    parts.extend(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    return b"".join(parts)


def task_name_seen(text: str) -> bool:
    """Whether a screen shows a task of the stream."""
    return re.search("|".join(map(re.escape, TASK_NAMES)), text) is not None
