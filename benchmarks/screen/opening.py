"""From a key to the screen or page that it opens, among 100,000 tasks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from ..lines import Reading, attempt
from ..load import server, stream
from ..subjects import core_speed
from ..subjects.programs import Name, Running, SubjectFailed, running
from ..subjects.terminal import Terminal
from .flood import merge

TASKS = 100_000
FAIL_EVERY = 100
PRELOADED = 12.0
"""Seconds after the start in which celtop imports all screens in the background."""
PAUSE = 0.5
"""Seconds between two keys."""
LONGEST = 2.0
"""Seconds after which a screen counts as not opened."""
AGAIN = 3
"""Times that each is opened again; the median counts, as one may fall on a frame of the clock."""
QUIET = 60.0
BURST = 0.005
"""Seconds between two parts of one update of the terminal, at most."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A key, and how the screen that it opens is recognized."""

    name: str
    before: str
    """The keys to where the key is pressed."""
    key: str
    shows: str
    """A pattern of the line with its title."""


OPENINGS = (
    Opening("Tasks", "1", "2", r"^ ?Tasks +[\d,]+ "),
    Opening("Workers", "1", "3", r"^ ?Workers +[\d,]+ "),
    Opening("Queues", "1", "4", r"^ ?Queues +[\d,]+ "),
    Opening("Types", "1", "5", r"^ ?Types +[\d,]+ "),
    Opening("Log", "1", "7", r"^ ?Log +[\d,]+ "),
    Opening("Overview", "2", "1", r"Throughput"),
    Opening("task", "2", "\r", r"^ ?Tasks . [0-9a-f]{8} "),
    Opening("worker", "3", "\r", r"^ ?Workers . celery@bench"),
    Opening("type", "5", "\r", r"^ ?Types . [a-z]+\.[a-z]+"),
    Opening("Failures", "2", "e", r"^ ?Tasks . Failures"),
    Opening("Charts", "2", "c", r"^ ?Tasks . Charts"),
    Opening("help", "2", "?", r"Keys"),
)


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `opening` and `opening-again`."""
    del wanted
    with server.running() as url:
        tasks = TASKS // 10 if quick else TASKS
        messages = stream.encode(url, tasks, fail_every=FAIL_EVERY, seed="opening")
        counted = stream.EVENTS_PER_TASK * (tasks - stream.failures_in(tasks, FAIL_EVERY))
        return attempt(("opening", "opening-again"), _openings, "celtop", url, messages, counted)


def _openings(name: Name, url: str, messages: list[stream.Message], counted: int) -> list[Reading]:
    with running(name, url) as subject, stream.beating(url):
        assert subject.terminal is not None
        server.await_listener(url)
        subject.press("2")
        merge(subject, url, messages, counted)
        time.sleep(PRELOADED)
        with core_speed.sampled() as core:
            pressed = [(one, _open(subject, one)) for _ in range(1 + AGAIN) for one in OPENINGS]
        found = list(_waits(subject.terminal, pressed))
    number = len(OPENINGS)
    again = [
        (found[place][0], median(ms for _, ms in found[place + number :: number]))
        for place in range(number)
    ]
    readings = []
    for line, waits in (("opening", found[:number]), ("opening-again", again)):
        slowest, wait = max(waits, key=lambda wait: wait[1])
        each = ", ".join(f"{opened} {ms:.0f} ms" for opened, ms in waits)
        note = f"{slowest}, the slowest of: {each}; {core.note(wait, 'ms')}"
        readings.append(Reading(line, name, wait, note, {"ms": dict(waits)} | core.details))
    return readings


def _open(subject: Running, opening: Opening) -> float:
    """Press the key on a quiet screen; return when."""
    for key in ("\x1b", "1", *opening.before):
        subject.press(key)
        time.sleep(PAUSE)
    subject.await_quiet(QUIET)
    at = subject.press(opening.key)
    time.sleep(LONGEST)
    return at


def _waits(terminal: Terminal, pressed: list[tuple[Opening, float]]) -> Iterator[tuple[str, float]]:
    """Yield the milliseconds from each key until the terminal had the whole screen."""
    updates = terminal.replay()
    for opening, at in pressed:
        title, ended = re.compile(opening.shows, re.MULTILINE), None
        for read_at, screen in updates:
            if ended is not None and read_at > ended + BURST:
                break
            if read_at >= at and (ended is not None or title.search(screen.text)):
                ended = read_at
            if read_at > at + LONGEST:
                break
        if ended is None:
            raise SubjectFailed(f"{opening.name} was not opened within {LONGEST:.0f} s")
        yield opening.name, 1_000 * (ended - at)
