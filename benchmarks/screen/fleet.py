"""A large cluster at work, on the screen: the CPU that it takes, and the memory in the end."""

from __future__ import annotations

import time

from ..lines import Reading, attempt
from ..load import server, stream
from ..subjects import core_speed
from ..subjects.programs import Name, SubjectFailed, running

WORKERS = tuple(f"celery@fleet-{number:04}" for number in range(1, 1_001))
PER_SECOND = 30_000
"""Task events per second of all workers, in messages of 20."""
SCREENS = {"1": "Overview", "2": "Tasks", "3": "Workers"}
ENCODING = 1.2
"""Seconds of encoding for each second of the stream, at first; then it is known."""
MARGIN = 1.5
"""How much longer encoding may take than the last time. The events have the time at which they are
published, since the clocks of workers do not move against each other."""
MIB = 1 << 20


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `fleet-cpu` and `fleet-memory`."""
    del wanted
    return attempt(("fleet-cpu", "fleet-memory"), _fleet, "celtop", 2.0 if quick else 5.0)


def _fleet(name: Name, seconds: float) -> list[Reading]:
    """The CPU time until all is applied, as a share of the time in which it arrived."""
    tasks = int(PER_SECOND * seconds / stream.EVENTS_PER_TASK)
    shares: dict[str, float] = {}
    at_reference: dict[str, float] = {}
    with server.running() as url, running(name, url) as subject:
        assert subject.terminal is not None
        server.await_listener(url)
        encoding = ENCODING * seconds
        for key, screen in ("", "all new"), *SCREENS.items():
            subject.press(key)
            begun = time.time()
            start = begun + MARGIN * encoding
            # The workers live on meanwhile, and are not lost and back with each screen.
            with stream.beating(url, WORKERS):
                messages = stream.encode(
                    url, tasks, per_second=PER_SECOND, seed=screen, workers=WORKERS, start=start
                )
                encoding = time.time() - begun
                subject.await_quiet(60)
                time.sleep(max(0.0, start - time.time()))
            before = subject.cpu()
            with core_speed.sampled() as core:
                took = stream.publish(url, messages)
                subject.await_quiet(60, window=0.25)
            shares[screen] = 100 * (subject.cpu() - before) / took
            at_reference[screen] = core.at_reference(shares[screen])
        held = subject.memory()
        if WORKERS[0] not in subject.terminal.screen().text:
            raise SubjectFailed("no worker of the fleet on its screen")
    note = ", ".join(
        f"{screen} {share:.0f} % ({at_reference[screen]:.0f})" for screen, share in shares.items()
    )
    note += "; in parentheses at the reference speed"
    details: dict[str, object] = {"shares": shares, "at_reference": at_reference}
    return [
        Reading(
            "fleet-cpu", name, max(shares[screen] for screen in SCREENS.values()), note, details
        ),
        Reading(
            "fleet-memory", name, held / MIB, f"{len(WORKERS):,} workers, {4 * tasks:,} tasks sent"
        ),
    ]
