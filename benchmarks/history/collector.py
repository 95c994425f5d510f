"""A collector of three brokers with 300 workers, and five screens that read what it writes."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import redis
from celtop.history.open import open_store

from ..lines import Reading, attempt
from ..load import server, stream
from ..load.stream import Message
from ..subjects import core_speed
from ..subjects.programs import BIN, Name, Running, SubjectFailed, environment, running

CLUSTERS = ("a", "b", "c")
WORKERS = 100
"""Simulated workers of each cluster."""
PER_SECOND = 10_000
"""Task events per second of each cluster."""
SCREENS = ("a", "a", "b", "b", "c")
"""The clusters of the screens."""
LINES = ("collector-cpu", "collector-memory", "collector-screens", "collector-counted")
MIB = 1 << 20


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """The lines `collector-...`."""
    del wanted
    return attempt(LINES, _measure, "celtop", 2.0 if quick else 10.0)


def _measure(name: Name, seconds: float) -> list[Reading]:
    tasks = int(PER_SECOND * seconds / stream.EVENTS_PER_TASK)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="celtop-bench-")))
        urls = {each: stack.enter_context(server.running()) for each in CLUSTERS}
        history = str(home / "history.sqlite3")
        collector = stack.enter_context(_collector(home, urls, history))
        for url in urls.values():
            server.await_listener(url)
        screens = [
            stack.enter_context(
                running(name, urls[each], arguments=["--cluster", each, "--from-history", history])
            )
            for each in SCREENS
        ]
        for one in (collector, *screens):
            one.await_quiet(60)
        subscribers = {each: _subscribers(url) for each, url in urls.items()}
        messages = {
            each: stream.encode(
                url,
                tasks,
                per_second=PER_SECOND,
                seed=each,
                workers=[f"celery@{each}-{number:03}" for number in range(WORKERS)],
            )
            for each, url in urls.items()
        }
        before = [one.cpu() for one in (collector, *screens)]
        with core_speed.sampled() as core:
            took = _publish(urls, messages)
            seen = _await_tasks(screens, tasks)
        after = [one.cpu() for one in (collector, *screens)]
        held = collector.memory()
        collector.process.send_signal(signal.SIGTERM)
        collector.process.wait(30)
        counted = {each: _counted(history, each) for each in CLUSTERS}
        dropped = [line for line in (home / "log").read_text().splitlines() if "dropped" in line]
    shares = [100 * (end - start) / took for start, end in zip(before, after, strict=True)]
    note = f"{tasks:,} tasks in each of {len(CLUSTERS)} clusters"
    wrong = {each: count for each, count in counted.items() if count != tasks}
    return [
        Reading("collector-cpu", name, shares[0], f"{note}; {core.note(shares[0])}", core.details),
        Reading("collector-memory", name, held / MIB, note),
        Reading(
            "collector-screens",
            name,
            max(shares[1:]),
            f"{len(SCREENS)} screens; {core.note(max(shares[1:]))}",
            core.details,
        ),
        Reading(
            "collector-counted",
            name,
            100 * min(seen, *counted.values()) / tasks if max(subscribers.values()) == 1 else None,
            f"subscribers {subscribers}, tasks on a screen at least {seen:,}"
            + (f", in the history {wrong}" if wrong else "")
            + "".join(f"; {line}" for line in dropped[:1]),
        ),
    ]


def _await_tasks(screens: Sequence[Running], tasks: int, timeout: float = 60.0) -> int:
    """Wait until each screen has all tasks of its cluster; return the least that one has."""
    deadline = time.monotonic() + timeout
    while True:
        seen = min(one.task_events_counted() // stream.EVENTS_PER_TASK for one in screens)
        if seen >= tasks or time.monotonic() > deadline:
            return seen
        time.sleep(1)


@contextlib.contextmanager
def _collector(home: Path, urls: dict[str, str], history: str) -> Iterator[Running]:
    config = home / "config.toml"
    tables = (f'[clusters.{name}]\nbroker_url = "{url}"\n' for name, url in urls.items())
    config.write_text(f'history = "{history}"\n' + "".join(tables))
    started_at = time.monotonic()
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(BIN / "celtop"), "--config", str(config), "collect"],
            env=environment(home),
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield Running("celtop", psutil.Process(process.pid), started_at)
    finally:
        process.kill()
        process.wait()


def _subscribers(url: str) -> int:
    """Return how many clients receive the task events of a broker."""
    with redis.Redis(port=server.port_of(url)) as client:
        return int(client.publish("/0.celeryev/task.multi", "[]"))


def _publish(urls: dict[str, str], messages: Mapping[str, Sequence[Message]]) -> float:
    """Publish the streams at once; return the seconds that it took."""
    failed: list[str] = []

    def publish(name: str) -> None:
        try:
            stream.publish(urls[name], messages[name])
        except RuntimeError as error:
            failed.append(str(error))

    begun = time.monotonic()
    threads = [threading.Thread(target=publish, args=(name,)) for name in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SubjectFailed(failed[0])
    return time.monotonic() - begun


def _counted(history: str, cluster: str) -> int:
    """Return how many tasks succeeded by the counts per minute of the history."""
    store = open_store(history, read_only=True)
    try:
        now = time.time()
        series = store.series(cluster, "cluster", "", now - 3_600, now + 60, 60)
        return round(sum(one for one in series.get("n_succeeded", ()) if one == one))
    finally:
        store.close()
