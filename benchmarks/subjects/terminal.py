"""A program in a pseudo-terminal: its output with times, keys to it, and its screen at any time.

The terminal only keeps time-stamped bytes while something is measured; screens are reconstructed
from them afterwards, so that looking costs the subject nothing.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyte

WIDTH, HEIGHT = 200, 50

_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=?]?[0-9;:]*\$[a-z]|\x1b\[[<>=][0-9;:]*[a-zA-Z]")
"""Mode queries and keyboard protocols, whose tails pyte would print as text."""

_ASKS_FOR_SYNCHRONIZED_OUTPUT = b"\x1b[?2026$p"
_SYNCHRONIZED_OUTPUT_KNOWN = b"\x1b[?2026;2$y"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they were read from the pseudo-terminal."""

    at: float
    """Monotonic seconds."""
    data: bytes


@dataclass
class Terminal:
    """A running program and its output so far."""

    process: subprocess.Popen[bytes]
    master: int
    started_at: float
    width: int = WIDTH
    height: int = HEIGHT
    chunks: list[Chunk] = field(default_factory=list)
    drained: threading.Event = field(default_factory=threading.Event)

    @property
    def written(self) -> int:
        """The number of bytes written so far."""
        return sum(len(chunk.data) for chunk in list(self.chunks))

    def press(self, keys: str) -> float:
        """Send keys; return the monotonic time just before."""
        at = time.monotonic()
        os.write(self.master, keys.encode())
        return at

    def screen(self) -> Screen:
        """Return the present screen."""
        screen = Screen(self.width, self.height)
        for chunk in list(self.chunks):
            screen.feed(chunk.data)
        return screen

    def replay(self) -> Iterator[tuple[float, Screen]]:
        """Yield the screen after each chunk; it is the same object each time."""
        screen = Screen(self.width, self.height)
        for chunk in list(self.chunks):
            screen.feed(chunk.data)
            yield chunk.at, screen

    def wait_for(self, pattern: str, timeout: float) -> float | None:
        """Return the seconds from the start until the screen shows a pattern, or None."""
        deadline = time.monotonic() + timeout
        wanted = re.compile(pattern)
        screen = Screen(self.width, self.height)
        read = 0
        while time.monotonic() < deadline:
            while read < len(self.chunks):
                chunk = self.chunks[read]
                screen.feed(chunk.data)
                read += 1
                if wanted.search(screen.text):
                    return chunk.at - self.started_at
            if self.drained.wait(0.01) and read == len(self.chunks):
                return None
        return None

    def close(self, timeout: float = 5.0) -> None:
        """End the program and everything it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(timeout)
                except subprocess.TimeoutExpired:
                    continue
        self.drained.wait(1)
        os.close(self.master)


class Screen:
    """A terminal emulator's screen."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)

    def feed(self, data: bytes) -> None:
        """Take what the program wrote."""
        self.stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))

    @property
    def text(self) -> str:
        """Return the lines, without colours."""
        return "\n".join(self.screen.display)

    def line(self, number: int) -> str:
        """Return a line, counted from 0."""
        return str(self.screen.display[number])

    def highlighted(self) -> list[str]:
        """Return the lines with another background than most, such as that of the cursor."""
        grounds = [self._ground(number) for number in range(self.screen.lines)]
        [(usual, _)] = Counter(grounds).most_common(1)
        return [self.line(number) for number, ground in enumerate(grounds) if ground != usual]

    def _ground(self, number: int) -> str:
        cells = self.screen.buffer[number]
        seen = (cells[column] for column in range(2, self.screen.columns // 2, 3))
        [(ground, _)] = Counter(c.fg if c.reverse else c.bg for c in seen).most_common(1)
        return str(ground)


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Terminal:
    """Run a program in a pseudo-terminal of its own, drained by a thread."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    started_at = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
    )
    os.close(slave)
    terminal = Terminal(process, master, started_at, width, height)
    threading.Thread(target=_drain, args=(terminal,), daemon=True).start()
    return terminal


def _drain(terminal: Terminal) -> None:
    while True:
        try:
            data = os.read(terminal.master, 65536)
        except OSError:
            break
        if not data:
            break
        terminal.chunks.append(Chunk(time.monotonic(), data))
        if _ASKS_FOR_SYNCHRONIZED_OUTPUT in data:
            os.write(terminal.master, _SYNCHRONIZED_OUTPUT_KNOWN)
    terminal.drained.set()
