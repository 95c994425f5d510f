"""What a monitor costs when nothing happens: commands to the broker, and CPU."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator

import redis

from ..lines import Reading
from ..load import server
from ..load.worker import worker
from ..subjects import core_speed, proxy
from ..subjects.core_speed import CoreSpeed
from ..subjects.programs import Name, Running, SubjectFailed, running

SETTLE = 15.0
CASES: tuple[tuple[str, Name, tuple[str, ...], str], ...] = (
    ("commands", "celtop", (), "2"),
    ("commands-overview", "celtop", (), "1"),
    ("commands-frugal", "celtop", ("--frugal",), "1"),
    ("commands", "flower", (), ""),
    ("commands", "celery events", (), ""),
)
"""Line, subject, its arguments and the key that opens its screen."""


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Lines `commands`, `commands-overview`, `commands-frugal` and `idle-cpu`."""
    seconds = 15.0 if quick else 60.0
    readings: list[Reading] = []
    with server.running() as url, worker(url), contextlib.ExitStack() as stack:
        watched: list[tuple[str, Running, proxy.Proxy]] = []
        for line, name, arguments, key in CASES:
            try:
                forwarded = stack.enter_context(proxy.forwarding(server.port_of(url)))
                subject = stack.enter_context(running(name, forwarded.url, arguments=arguments))
                time.sleep(2)
                if subject.terminal is not None and key:
                    subject.terminal.press(key)
                watched.append((line, subject, forwarded))
            except SubjectFailed as error:
                readings.append(Reading(line, name, None, f"failed: {error}"))
        time.sleep(SETTLE)
        before = [subject.cpu() for _, subject, _ in watched]
        with _monitor(server.port_of(url)) as commands, core_speed.sampled() as core:
            time.sleep(seconds)
        for (line, subject, forwarded), cpu in zip(watched, before, strict=True):
            readings += _readings(line, subject, forwarded, cpu, core, commands, seconds)
    return readings


def _readings(
    line: str,
    subject: Running,
    forwarded: proxy.Proxy,
    cpu: float,
    core: CoreSpeed,
    commands: list[tuple[str, str]],
    seconds: float,
) -> list[Reading]:
    try:
        subject.check_alive()
    except SubjectFailed as error:
        return [Reading(line, subject.name, None, f"failed: {error}")]
    own = Counter(word for address, word in commands if address in forwarded.addresses)
    words = ", ".join(f"{count} {word}" for word, count in own.most_common(4))
    readings = [
        Reading(line, subject.name, own.total() * 60 / seconds, words, {"commands": dict(own)})
    ]
    if line == "commands":
        share = 100 * (subject.cpu() - cpu) / seconds
        note = "Tasks open; " if subject.name == "celtop" else ""
        note += core.note(share)
        readings.append(Reading("idle-cpu", subject.name, share, note, core.details))
    return readings


@contextlib.contextmanager
def _monitor(port: int) -> Iterator[list[tuple[str, str]]]:
    """All commands that the broker executes, as address and command's name."""
    commands: list[tuple[str, str]] = []
    enough = threading.Event()
    started = threading.Event()

    def listen() -> None:
        with redis.Redis(port=port) as client, client.monitor() as monitor:
            started.set()
            while not enough.is_set():
                command = monitor.next_command()
                if not enough.is_set():
                    address = f"{command['client_address']}:{command['client_port']}"
                    commands.append((address, str(command["command"]).split(" ")[0].upper()))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    started.wait(5)
    yield commands
    enough.set()
