"""What is kept of a long stream: every failure, in how much memory."""

from __future__ import annotations

import time

from ..lines import Reading, attempt
from ..load import server, stream
from ..subjects.programs import Name, SubjectFailed, running

CHUNK = 50_000
"""Tasks whose messages are encoded at once: all of them would fill the memory of the machine."""
FAIL_EVERY = 1_000
MIB = 1 << 20


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Line `kept`."""
    return attempt(("kept",), _kept, "celtop", 120_000 if quick else 340_000)


def _kept(name: Name, tasks: int) -> list[Reading]:
    with server.running() as url, running(name, url) as subject:
        server.await_listener(url)
        subject.press("2")
        subject.await_quiet(30)
        failures = 0
        for first in range(0, tasks, CHUNK):
            count = min(CHUNK, tasks - first)
            stream.publish(url, stream.encode(url, count, seed=str(first), fail_every=FAIL_EVERY))
            subject.await_quiet(180)
            failures += stream.failures_in(count, FAIL_EVERY)
        held = subject.memory()
        subject.press("/")
        time.sleep(0.5)
        subject.press("state:failure\r")
        if subject.terminal is None:
            raise SubjectFailed("it has no terminal")
        # The filter is applied in slices, newest tasks first.
        if subject.terminal.wait_for(rf"Tasks\s+{failures:,} of", 120) is None:
            raise SubjectFailed(f"does not list all {failures:,} failures")
        return [Reading("kept", name, held / MIB, f"all {failures:,} failures listed")]
