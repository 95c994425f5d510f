"""The cost of many tasks that report progress, and how soon it is on the screen.

A small writer sets and publishes what `update_state` does (`celery/backends/redis.py`: SETEX and
PUBLISH of the same JSON in one transaction), encoded beforehand. Each report carries its number in
its status text, so that a screen shows which reports it has, and when they were made.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..lines import Reading, attempt
from ..load import server, stream
from ..subjects import core_speed, terminal
from ..subjects.programs import Name, Running, SubjectFailed, running

TASKS = 200
PER_SECOND = 10
"""Reports of each task in a second."""
WARM = 3.0
"""Seconds of reports before measuring begins."""
WIDE = 300
"""Columns in which a report's whole text is to be seen."""
MARK = re.compile(r"at (\d{7})\b")
CHANNEL = "celery-task-meta-"


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `progress`, `progress-report`, `progress-stranger` and `progress-late`."""
    seconds = 5.0 if quick else 15.0
    costs = ("progress", "progress-report", "progress-stranger")
    readings: list[Reading] = []
    # A server for each: what the first leaves behind, the next would list as history.
    if wanted & {*costs}:
        with server.running() as url:
            readings += attempt(costs, _costs, "celtop", url, seconds)
    if "progress-late" in wanted:
        with server.running() as url:
            readings += attempt(("progress-late",), _lateness, "celtop", url, seconds)
    return readings


@contextlib.contextmanager
def _following(name: Name, url: str, width: int) -> Iterator[tuple[Running, list[str]]]:
    """Start a subject that shows running tasks; yield it with their ids."""
    messages, ids = stream.started(url, TASKS)
    arguments = ("--result-backend", url)
    with running(name, url, arguments=arguments, width=width) as subject:
        assert subject.terminal is not None
        server.await_listener(url, patterns=2)
        with stream.beating(url):
            subject.press("2")
            stream.publish(url, messages)
            if subject.terminal.wait_for("STARTED", 10) is None:
                raise SubjectFailed(f"no task of the stream is shown: {subject.last_output()}")
            subject.await_quiet(30)
            yield subject, ids
            subject.check_alive()


def _costs(name: Name, url: str, seconds: float) -> list[Reading]:
    with _following(name, url, terminal.WIDTH) as (subject, ids):
        idle = _share(subject, seconds)
        with core_speed.sampled() as core:
            share, _, _ = _share_while(subject, url, ids, seconds)
        passed_by, _, _ = _share_while(subject, url, (), seconds)
        assert subject.terminal is not None
        if "PROGRESS" not in subject.terminal.screen().text:
            raise SubjectFailed("no report was ever on the screen")
    pace = TASKS * PER_SECOND
    note = f"{TASKS} tasks, {pace:,} reports a second; while none reports {idle:.1f} %; "
    note += core.note(share)
    return [
        Reading("progress", name, share, note, {"idle_percent": idle, **core.details}),
        Reading("progress-report", name, (share - idle) / pace * 1e4),
        Reading("progress-stranger", name, (passed_by - idle) / pace * 1e4),
    ]


def _lateness(name: Name, url: str, seconds: float) -> list[Reading]:
    """Measure the age of reports when they are painted, in all rows and frames."""
    with _following(name, url, WIDE) as (subject, ids):
        assert subject.terminal is not None
        _, first, made_at = _share_while(subject, url, ids, seconds)
        ages = [1_000 * age for age in _ages(subject.terminal, made_at, first)]
    if len(ages) < TASKS:
        raise SubjectFailed(f"only {len(ages)} reports were ever on the screen")
    *_, p95 = statistics.quantiles(ages, n=20)
    note = f"p50 {statistics.median(ages):.0f} ms, longest {max(ages):.0f} ms; {WIDE} columns"
    return [Reading("progress-late", name, p95, note, {"reports_seen": len(ages)})]


def _share(subject: Running, seconds: float) -> float:
    """Return the percent of a core that it takes."""
    before = subject.cpu()
    time.sleep(seconds)
    return 100 * (subject.cpu() - before) / seconds


def _share_while(
    subject: Running, url: str, ids: Sequence[str], seconds: float
) -> tuple[float, float, dict[str, float]]:
    """Return the percent of a core while tasks report, when that began, and the times of reports.

    Without ids, other tasks report that they have ended: most of what a server publishes.
    """
    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(_write, url, ids, WARM + seconds)
        time.sleep(WARM)
        first = time.monotonic()
        share = _share(subject, seconds)
        return share, first, writing.result()


def _write(url: str, ids: Sequence[str], seconds: float) -> dict[str, float]:
    """Report evenly; return when each report was made, by its number."""
    total = int(TASKS * PER_SECOND * seconds)
    commands = list(_commands(ids, total))
    made_at: dict[str, float] = {}
    step = 1 / (TASKS * PER_SECOND)
    with socket.create_connection(("127.0.0.1", server.port_of(url))) as connection:
        connection.setblocking(True)
        begun, number = time.monotonic(), 0
        while number < total:
            elapsed = time.monotonic() - begun
            due = min(total, int(elapsed / step))
            if due == number:
                time.sleep(stream.TICK)
                continue
            now = time.monotonic()
            made_at.update((f"{each:07d}", now) for each in range(number, due))
            connection.sendall(b"".join(commands[number:due]))
            number = due
            _discard(connection)
    return made_at


def _commands(ids: Sequence[str], total: int) -> Iterator[bytes]:
    """Return the transactions of `RedisBackend._set`, one for each report."""
    for number in range(total):
        id_ = ids[number % len(ids)] if ids else f"{number:08x}-0000-4000-8000-000000000000"
        meta: dict[str, object] = {
            "status": "PROGRESS" if ids else "SUCCESS",
            "result": {"progress": number * 99.9 / total, "status": f"at {number:07d}"},
            "traceback": None,
            "children": [],
            "date_done": None,
            "task_id": id_,
        }
        key, payload = (CHANNEL + id_).encode(), json.dumps(meta).encode()
        yield b"".join(
            stream.command(*words)
            for words in (
                (b"MULTI",),
                (b"SETEX", key, b"86400", payload),
                (b"PUBLISH", key, payload),
                (b"EXEC",),
            )
        )


def _discard(connection: socket.socket) -> None:
    connection.setblocking(False)
    try:
        while connection.recv(1 << 20):
            pass
    except BlockingIOError:
        pass
    finally:
        connection.setblocking(True)


def _ages(shown: terminal.Terminal, made_at: dict[str, float], first: float) -> list[float]:
    """Return the age of each report when it came on the screen, in seconds."""
    ages: list[float] = []
    before: set[str] = set()
    for at, screen in shown.replay():
        there = set(MARK.findall(screen.text))
        if at < first:
            before = there  # painted before the measurement
            continue
        ages += [at - made_at[number] for number in there - before if number in made_at]
        before = there
    return ages
