"""Under a steady stream: bytes to the terminal, and how soon a key is answered."""

from __future__ import annotations

import random
import re
import statistics
import time
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from ..lines import Reading, attempt
from ..load import server, stream
from ..subjects.programs import Name, Running, SubjectFailed, running
from ..subjects.terminal import Screen, Terminal

SUBJECTS: tuple[Name, ...] = ("celtop", "celery events")
SETTLE = 4.0
"""Seconds that a subject takes to start and become quiet, about."""
WARM = 3.0
"""Seconds of the stream before counting begins, so that the screen is full."""


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `bytes` and `key`."""
    readings: list[Reading] = []
    with server.running() as url:
        for name in SUBJECTS:
            if "bytes" in wanted:
                seconds = 6.0 if quick else 13.0
                readings += attempt(("bytes",), _bytes, name, url, seconds)
            if "key" in wanted:
                keys = 20 if quick else 60
                readings += attempt(("key",), _keys, name, url, keys)
    return readings


def _bytes(name: Name, url: str, seconds: float) -> list[Reading]:
    """KB per second while 1,500 events arrive each second."""
    messages = stream.encode(
        url, int(500 * seconds), per_second=1_500, start=time.time() + SETTLE, seed="bytes"
    )
    with running(name, url) as subject, ThreadPoolExecutor(1) as publisher:
        assert subject.terminal is not None
        _settle(subject, url)
        publishing = publisher.submit(stream.publish, url, messages)
        time.sleep(WARM)
        begun, before = time.monotonic(), subject.terminal.written
        publishing.result()
        written = subject.terminal.written - before
        rate = written / (time.monotonic() - begun) / 1_000
        if not stream.task_name_seen(subject.terminal.screen().text):
            raise SubjectFailed("no task of the stream on its screen")
        return [Reading("bytes", name, rate, "Tasks screen" if name == "celtop" else "")]


def _settle(subject: Running, url: str) -> None:
    server.await_listener(url)
    if subject.name == "celtop":
        subject.press("2")
    subject.await_quiet(30)


def _keys(name: Name, url: str, presses: int) -> list[Reading]:
    """Milliseconds from a key to its effect while 5,000 events arrive each second."""
    gap = 0.25
    draw = random.Random(presses)
    messages = stream.encode(
        url,
        int(5_000 * (presses * gap + WARM + 1) / stream.EVENTS_PER_TASK),
        per_second=5_000,
        start=time.time() + SETTLE,
        seed="keys",
    )
    with running(name, url) as subject, ThreadPoolExecutor(1) as publisher:
        terminal = subject.terminal
        assert terminal is not None
        _settle(subject, url)
        publishing = publisher.submit(stream.publish, url, messages)
        time.sleep(WARM)
        pressed = []
        for number in range(presses):
            # Now down, now up, so that the cursor stays in sight; never in step with frames.
            pressed.append(terminal.press("k" if number % 4 == 3 else "j"))
            time.sleep(gap * draw.uniform(0.6, 1.4))
        publishing.result()
        delays = [1_000 * delay for delay in waits(terminal, pressed, CURSOR[name])]
    missed = presses - len(delays)
    if missed > presses / 4:
        raise SubjectFailed(f"{missed} of {presses} keys had no effect to be seen")
    *_, p95 = statistics.quantiles(delays, n=20)
    p50 = statistics.median(delays)
    note = f"p50 {p50:.0f} ms" + (f", {missed} of {presses} unseen" if missed else "")
    details: dict[str, object] = {"p50_ms": p50, "delays_ms": delays, "missed": missed}
    return [Reading("key", name, p95, note, details)]


def waits(terminal: Terminal, pressed: list[float], cursor: Callable[[Screen], str]) -> list[float]:
    """For each key that had an effect, the seconds until another row was under the cursor."""
    seen = [(0.0, "")]
    for at, screen in terminal.replay():
        if at > pressed[0] - WARM and (here := cursor(screen)):
            seen.append((at, here))
    delays: list[float] = []
    for begin, end in pairwise([*pressed, float("inf")]):
        location = bisect_left(seen, (begin, ""))
        _, before = seen[location - 1]
        for at, here in seen[location:]:
            if at >= end:
                break
            if here != before:
                delays.append(at - begin)
                break
    return delays


def _selected_by_celery_events(screen: Screen) -> str:
    found = re.search(r"Selected:\s*(\S+)", screen.text)
    return found.group(1) if found else ""


def _cursor_of_celtop(screen: Screen) -> str:
    for line in screen.highlighted():
        if stream.task_name_seen(line) and (found := re.search(r"\b[0-9a-f]{6,}", line)):
            return found.group()
    return ""


CURSOR: dict[Name, Callable[[Screen], str]] = {
    "celtop": _cursor_of_celtop,
    "celery events": _selected_by_celery_events,
}
