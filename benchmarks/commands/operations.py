"""Operations on many tasks: the time until their outcome is shown, and until keys have an effect.

A real worker is busy, and has a result backend, in which it looks up each revoked task;
all other tasks wait in its queue. The screen has them from the events of their sender, the command
line from their messages.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import subprocess
import tempfile
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import redis
from celery import Celery

from ..lines import Reading, attempt
from ..load import server
from ..load.stream import TASK_NAMES
from ..load.worker import worker
from ..screen import pace
from ..subjects.programs import BIN, Name, Running, SubjectFailed, environment, running

TASKS = 10_000
RETRIED = 1_000
TIMEOUT = 120.0
GAP = 0.06
"""Seconds between two keys."""
QUEUE = "celery"


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `revoke`, `revoke-key`, `revoke-line` and `retry-line`."""
    readings: list[Reading] = []
    tasks, retried = (TASKS // 10, RETRIED // 10) if quick else (TASKS, RETRIED)
    if wanted & {"revoke", "revoke-key", "revoke-line"}:
        with server.running() as url, worker(url, backend=url), _sender(url) as app:
            _occupy(app)
            readings += attempt(("revoke", "revoke-key"), _revoke, "celtop", url, app, tasks)
            readings += attempt(("revoke-line",), _revoke_line, "celtop", url, tasks)
    if "retry-line" in wanted:
        with server.running() as url, worker(url, backend=url), _sender(url) as app:
            _occupy(app)
            readings += attempt(("retry-line",), _retry_line, "celtop", url, retried)
    return readings


@contextlib.contextmanager
def _sender(url: str) -> Iterator[Celery]:
    app = Celery(broker=url, fixups=set(), set_as_current=False)
    app.conf.task_send_sent_event = True
    yield app
    app.close()


def _occupy(app: Celery) -> None:
    """Occupy the worker's two processes and its prefetched tasks."""
    for _ in range(12):
        app.send_task("bench.sleep", (3_600,), ignore_result=True)
    deadline = time.monotonic() + 20
    while not _held(app):
        if time.monotonic() > deadline:
            raise SubjectFailed("the worker takes nothing")


def _held(app: Celery) -> bool:
    asked = app.control.inspect(timeout=0.5)
    tasks = [*(asked.active() or {}).values(), *(asked.reserved() or {}).values()]
    return sum(map(len, tasks)) >= 10


def _send(app: Celery, count: int) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(count):
            name = TASK_NAMES[number % len(TASK_NAMES)]
            app.send_task(name, (number,), ignore_result=True, producer=producer)


def _revoke(name: Name, url: str, app: Celery, tasks: int) -> list[Reading]:
    """Measure the time from the confirmation to the line with the outcome, with keys in between."""
    with running(name, url) as subject, _broadcasts(url) as broadcasts:
        terminal = subject.terminal
        assert terminal is not None
        # The worker receives events, too: that there is a receiver proves nothing.
        if terminal.wait_for("1/1 workers", 20) is None:
            raise SubjectFailed(f"it does not show the worker: {subject.last_output()}")
        subject.press("2")
        _send(app, tasks)
        subject.await_quiet(60)
        # All but the sleepers that wait with them.
        for keys in ("/", "name:*.*  -name:bench.*", "\r"):
            subject.press(keys)
            time.sleep(0.5)
        subject.await_quiet(30)
        subject.press("a")
        time.sleep(0.5)
        subject.press("X")
        count = _asked(subject)
        broadcasts.clear()
        subject.press(count)
        time.sleep(0.5)
        begun = subject.press("\r")
        pressed = _keys(subject, rf"revoked {tasks:,}\b.*")
        subject.check_alive()
        ended, line = _moment(subject, rf"revoked {tasks:,}\b.*", begun)
        during = [at for at in pressed if at < ended]
        waits = pace.waits(terminal, during, pace.CURSOR[name]) if during else []
        delays = [1_000 * wait for wait in waits]
        writes = [begun, *(c.at for c in terminal.chunks if begun < c.at < ended), ended]
        quiet = max(later - earlier for earlier, later in pairwise(writes))
    blocks = sum(method == "revoke" for method in broadcasts)
    note = f"{blocks} broadcasts; {line}"
    slow = f"{len(delays)} of {len(during)} keys seen; longest without a frame {quiet:.2f} s"
    longest = max(delays, default=None)
    return [
        Reading("revoke", name, ended - begun, note, {"broadcasts": blocks}),
        Reading("revoke-key", name, longest, slow, {"delays_ms": delays, "quiet_s": quiet}),
    ]


def _asked(subject: Running) -> str:
    """Return the text that the confirmation asks for.

    Raises:
        SubjectFailed: There is no confirmation.
    """
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert subject.terminal is not None
        if found := re.search(r"Type (\S+) to confirm", subject.terminal.screen().text):
            return found.group(1)
        time.sleep(0.2)
    raise SubjectFailed(f"no confirmation: {subject.last_output()}")


def _keys(subject: Running, pattern: str) -> list[float]:
    """Move the cursor until the screen shows a pattern; return the times of the keys."""
    draw = random.Random(1)
    pressed: list[float] = []
    shown = threading.Event()

    def look() -> None:
        assert subject.terminal is not None
        subject.terminal.wait_for(pattern, TIMEOUT)
        shown.set()

    looking = threading.Thread(target=look)
    looking.start()
    while not shown.wait(GAP * draw.uniform(0.6, 1.4)):
        pressed.append(subject.press("k" if len(pressed) % 4 == 3 else "j"))
    looking.join()
    return pressed


def _moment(subject: Running, pattern: str, after: float) -> tuple[float, str]:
    """Return when the screen first showed a pattern, monotonic, and the match.

    Raises:
        SubjectFailed: It never showed it.
    """
    assert subject.terminal is not None
    for at, screen in subject.terminal.replay():
        if at > after and (found := re.search(pattern, screen.text)):
            return at, " ".join(found.group().split())
    raise SubjectFailed(f"no outcome: {subject.last_output()}")


def _revoke_line(name: Name, url: str, tasks: int) -> list[Reading]:
    with _broadcasts(url) as broadcasts:
        took, outcome = _command(
            url, "revoke", "--filter", "name:*.* -name:bench.*", "--yes", "--json"
        )
    revoked = _confirmed(outcome)
    if revoked != tasks:
        raise SubjectFailed(f"{revoked} of {tasks} revoked: {str(outcome)[:300]}")
    blocks = sum(method == "revoke" for method in broadcasts)
    return [Reading("revoke-line", name, took, f"start and end included; {blocks} broadcasts")]


def _retry_line(name: Name, url: str, tasks: int) -> list[Reading]:
    """Measure the retry of failed tasks with the arguments from the result backend."""
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(tasks)]
    with redis.Redis.from_url(url) as client:
        for number, id_ in enumerate(ids):
            client.set(f"celery-task-meta-{id_}", json.dumps(_failure(id_, number)))
        before = int(client.llen(QUEUE))
        took, outcome = _command(
            *(url, "retry", "-", "--yes", "--json", "--result-backend", url), stdin="\n".join(ids)
        )
        sent = int(client.llen(QUEUE)) - before
    if sent != tasks:
        raise SubjectFailed(f"{sent} of {tasks} sent: {str(outcome)[:300]}")
    note = "start and end included; arguments from the result backend"
    return [Reading("retry-line", name, took, note)]


def _failure(id_: str, number: int) -> dict[str, object]:
    return {
        "status": "FAILURE",
        "result": {"exc_type": "ValueError", "exc_message": ["no"], "exc_module": "builtins"},
        "traceback": "Traceback (most recent call last):\nValueError: no\n",
        "children": [],
        "date_done": "2026-01-01T00:00:00+00:00",
        "name": TASK_NAMES[0],
        "args": [f"https://example.org/item/{number}", number],
        "kwargs": {"width": 640, "height": 480},
        "worker": "celery@old-1",
        "retries": 0,
        "queue": QUEUE,
        "task_id": id_,
    }


def _command(url: str, *words: str, stdin: str = "") -> tuple[float, dict[str, Any]]:
    """Run a command of celtop; return the seconds it took, and the outcome that it printed."""
    with tempfile.TemporaryDirectory(prefix="celtop-bench-") as home:
        begun = time.monotonic()
        ended = subprocess.run(
            [str(BIN / "celtop"), "-b", url, *words],
            input=stdin,
            env=environment(Path(home)),
            cwd=home,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        took = time.monotonic() - begun
    if not ended.stdout:
        raise SubjectFailed(f"it ended with {ended.returncode}: {ended.stderr[-300:]}")
    return took, json.loads(ended.stdout)


def _confirmed(outcome: dict[str, Any]) -> int:
    return sum(target["verdict"] == "confirmed" for target in outcome["targets"])


@contextlib.contextmanager
def _broadcasts(url: str) -> Iterator[list[str]]:
    """Yield a list that receives the methods of all commands sent to workers."""
    broadcasts: list[str] = []
    enough = threading.Event()
    with redis.Redis.from_url(url) as client, client.pubsub() as pubsub:
        pubsub.psubscribe("*.pidbox")

        def listen() -> None:
            while not enough.is_set():
                message = pubsub.get_message(timeout=0.2)
                if message is not None and message["type"] == "pmessage":
                    body = json.loads(message["data"])["body"]
                    broadcasts.append(json.loads(b64decode(body))["method"])

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield broadcasts
        finally:
            enough.set()
            listener.join()
