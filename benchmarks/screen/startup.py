"""The time from the start of a program to its first frame and its first data."""

from __future__ import annotations

import contextlib
import re
import statistics
import threading
import time
from collections.abc import Iterator

from celery import Celery

from ..lines import Reading, attempt
from ..load import server
from ..load.worker import worker
from ..subjects import proxy
from ..subjects.programs import Name, Running, SubjectFailed, running

FIRST_FRAME: dict[Name, str] = {
    "hello": r"hello",
    "celtop": r"Overview",
    "celery events": r"events:",
}
WORKER = "celery@bench"
TASK = "bench.sleep"
TIMEOUT = 15.0


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `first-frame` and `first-data`."""
    readings: list[Reading] = []
    with server.running() as url, worker(url, WORKER):
        if "first-frame" in wanted:
            readings += first_frames(url, 3 if quick else 5)
        if "first-data" in wanted:
            names: tuple[Name, ...] = ("celtop", "flower", "celery events")
            for name in names:
                rounds = 1 if quick or name != "celtop" else 3
                readings += attempt(("first-data",), _first_data, name, url, rounds)
    return readings


def first_frames(
    url: str, rounds: int, line: str = "first-frame", arguments: tuple[str, ...] = ()
) -> list[Reading]:
    """Measure the first frame of each subject against that of a bare Textual program.

    Args:
        url: The broker.
        rounds: How often; the median counts.
        line: What is measured.
        arguments: For celtop.
    """
    seconds: dict[Name, list[float]] = {name: [] for name in FIRST_FRAME}
    for _ in range(rounds):
        for name, pattern in FIRST_FRAME.items():
            with running(name, url, arguments=arguments if name == "celtop" else ()) as subject:
                assert subject.terminal is not None
                took = subject.terminal.wait_for(pattern, TIMEOUT)
                if took is not None:
                    seconds[name].append(took)
    hello = statistics.median(seconds["hello"])
    readings = []
    for name, times in seconds.items():
        if not times:
            readings.append(Reading(line, name, None, "failed: no frame"))
            continue
        took = statistics.median(times)
        note = f"{took:.2f} s"
        readings.append(Reading(line, name, took / hello, note, {"seconds": times}))
    return readings


def _first_data(name: Name, url: str, rounds: int) -> list[Reading]:
    """Measure the seconds from the broker's first reply to the names of a worker and a task."""
    workers: list[float] = []
    tasks: list[float] = []
    from_start: list[float] = []
    for _ in range(rounds):
        with (
            _tasks_flowing(url),
            proxy.forwarding(server.port_of(url)) as forwarded,
            running(name, forwarded.url) as subject,
        ):
            moments = _moments(subject)
            if forwarded.answered_at is None or moments[0] is None:
                raise SubjectFailed(f"no worker's name within {TIMEOUT:.0f} s")
            workers.append(moments[0] - forwarded.answered_at)
            from_start.append(moments[0] - subject.started_at)
            if moments[1] is not None:
                tasks.append(moments[1] - forwarded.answered_at)
    task = f"first task {statistics.median(tasks):.2f} s" if tasks else "never a task"
    note = f"{task}; worker {statistics.median(from_start):.2f} s after its start"
    details: dict[str, object] = {"workers": workers, "tasks": tasks, "from_start": from_start}
    return [Reading("first-data", name, statistics.median(workers), note, details)]


def _moments(subject: Running) -> tuple[float | None, float | None]:
    """Return when the names of the worker and of a task were first visible, monotonic."""
    if subject.terminal is not None:
        seen = [subject.terminal.wait_for(word, TIMEOUT) for word in (WORKER, TASK)]
        worker_at, task_at = (
            None if delay is None else subject.started_at + delay for delay in seen
        )
        return worker_at, task_at
    patterns = (f'flower_worker_online{{worker="{WORKER}"', f'task="{TASK}"')
    found: list[float | None] = [None, None]
    deadline = time.monotonic() + TIMEOUT
    while None in found and time.monotonic() < deadline:
        text = subject.get("/metrics")
        for position, pattern in enumerate(patterns):
            if found[position] is None and re.search(re.escape(pattern), text):
                found[position] = time.monotonic()
        time.sleep(0.02)
    return found[0], found[1]


@contextlib.contextmanager
def _tasks_flowing(url: str) -> Iterator[None]:
    """Send five short tasks a second to workers that send no task events yet."""
    app = Celery(broker=url, fixups=set(), set_as_current=False)
    app.control.disable_events()
    enough = threading.Event()

    def send() -> None:
        while not enough.wait(0.2):
            app.send_task(TASK, (0.1,), ignore_result=True)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        time.sleep(1)
        yield
    finally:
        enough.set()
        sender.join()
