"""The cost of 100,000 old results in the result backend at startup, for celtop and for Redis."""

from __future__ import annotations

import json
import random
import re
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta

import redis

from ..lines import Reading, attempt
from ..load import server
from ..load.stream import TASK_NAMES
from ..load.worker import worker
from ..screen import startup
from ..subjects import proxy
from ..subjects.programs import Name, SubjectFailed, running

RESULTS = 100_000
LISTED = 500
"""Old results that celtop loads by default."""
LIFE = 86_400
"""Seconds that Celery keeps a result."""
SLOW = 100
"""Microseconds from which the server logs a command as slow."""
LOG = 10_000
"""Slow commands that it keeps."""
LOOKED_FOR = 15.0


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `history-frame`, `history-data`, `history-listed` and `history-command`."""
    readings: list[Reading] = []
    with server.running() as url, worker(url, startup.WORKER):
        _fill(url, RESULTS // 10 if quick else RESULTS)
        if "history-frame" in wanted:
            readings += startup.first_frames(
                url, 3 if quick else 5, "history-frame", arguments=("--result-backend", url)
            )
        if wanted & {"history-data", "history-listed", "history-command"}:
            lines = ("history-data", "history-listed", "history-command")
            readings += attempt(lines, _data, "celtop", url, 1 if quick else 3)
    return readings


def _fill(url: str, count: int) -> None:
    """Store results of the last day, as Celery does with `result_extended`."""
    draw = random.Random(count)
    now = datetime.now(UTC)
    with redis.Redis.from_url(url) as client:
        pipe = client.pipeline(transaction=False)
        for number in range(count):
            age = draw.uniform(0, LIFE - 600)
            id_ = str(uuid.UUID(int=draw.getrandbits(128), version=4))
            meta = {
                "status": "SUCCESS",
                "result": {"size": number, "url": f"https://example.org/item/{number}"},
                "traceback": None,
                "children": [],
                "date_done": (now - timedelta(seconds=age)).isoformat(),
                "name": draw.choice(TASK_NAMES),
                "args": [f"https://example.org/item/{number}", number],
                "kwargs": {"width": 640, "height": 480},
                "worker": "celery@old-1",
                "retries": 0,
                "queue": "celery",
                "task_id": id_,
            }
            pipe.setex(f"celery-task-meta-{id_}", int(LIFE - age), json.dumps(meta))
            if number % 1_000 == 999:
                pipe.execute()
        pipe.execute()


def _data(name: Name, url: str, rounds: int) -> list[Reading]:
    """What is true of the cluster now, and the newest of what was, after the first answer."""
    workers: list[float] = []
    listed: list[float] = []
    own: list[tuple[float, str]] = []
    with redis.Redis.from_url(url) as client:
        client.config_set("slowlog-log-slower-than", SLOW)
        client.config_set("slowlog-max-len", LOG)
        for _ in range(rounds):
            client.slowlog_reset()
            with (
                proxy.forwarding(server.port_of(url)) as forwarded,
                running(name, forwarded.url, arguments=("--result-backend", forwarded.url)) as it,
            ):
                assert it.terminal is not None
                moments = [
                    it.terminal.wait_for(pattern, LOOKED_FOR)
                    for pattern in (re.escape(startup.WORKER), rf"\b{LISTED} tasks")
                ]
                time.sleep(1)
                if forwarded.answered_at is None or moments[0] is None or moments[1] is None:
                    raise SubjectFailed(f"not all of it was shown: {it.last_output()}")
                answered = forwarded.answered_at - it.started_at
                workers.append(moments[0] - answered)
                listed.append(moments[1] - answered)
            # Ours alone: what others ask of this server is of no interest here.
            own += [
                (entry["duration"] / 1_000, _words(entry))
                for entry in client.slowlog_get(LOG)
                if _address(entry) in forwarded.addresses
            ]
    worst, words = max(own, default=(SLOW / 1_000, "none was longer"))
    alike = [took for took, other in own if other == words] or [worst]
    slow = f"{words}: median {statistics.median(alike):.2f} ms of {len(alike)}"
    return [
        Reading("history-data", name, statistics.median(workers)),
        Reading("history-listed", name, statistics.median(listed), f"the newest {LISTED}"),
        Reading("history-command", name, worst, slow),
    ]


def _address(entry: dict[str, object]) -> str:
    address = entry.get("client_address", b"")
    return address.decode() if isinstance(address, bytes) else str(address)


def _words(entry: dict[str, object]) -> str:
    """Return a command without its numbers, such as the cursor of a SCAN."""
    command = entry["command"]
    text = command.decode(errors="replace") if isinstance(command, bytes) else str(command)
    return " ".join(word for word in text.split() if not word.isdecimal())[:60]
