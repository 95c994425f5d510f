"""A program in a pseudo-terminal; pyte keeps its screen as a real terminal does."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte

TERMINATE_GRACE = 5.0


class Terminal:
    """Run `command` on a screen of `columns` x `rows` and read what it shows.

    A thread drains the terminal for as long as `reading` is set: clear it to be a terminal that
    has stopped reading. Without `controlling`, the program receives no SIGHUP when it vanishes.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 36,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        controlling: bool = True,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.output = bytearray()
        self.reading = threading.Event()
        self.reading.set()
        self._stream = pyte.ByteStream(self.screen)
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)
        self.modes_before = termios.tcgetattr(slave)
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            **(env or {}),
        }
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            if name not in (env or {}):
                environment.pop(name, None)
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_take_terminal if controlling else None,
        )
        self._slave = slave
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> None:
        while True:
            self.reading.wait()
            try:
                ready, _, _ = select.select([self._master], [], [], 0.1)
                if not ready:
                    continue
                data = os.read(self._master, 65536)
            except (OSError, ValueError):
                return
            if not data:
                return
            with self._lock:
                self.output += data
                self._stream.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as when a user resizes the window."""
        with self._lock:
            self.screen.resize(rows, columns)
        self._set_size(columns, rows)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGWINCH)

    def lines(self) -> list[str]:
        """Return the lines of the screen, without trailing blanks."""
        with self._lock:
            # Not `display`: it fails on the rest of a wide character that was overwritten.
            rows = (self.screen.buffer[y] for y in range(self.screen.lines))
            columns = range(self.screen.columns)
            return ["".join(row[x].data for x in columns).rstrip() for row in rows]

    def text(self) -> str:
        """Return the screen as one string."""
        return "\n".join(self.lines())

    def send(self, keys: str) -> None:
        """Type `keys`."""
        os.write(self._master, keys.encode())

    def wait_for(
        self, wanted: str | Callable[[str], bool], timeout: float = 20.0, what: str = ""
    ) -> str:
        """Wait until the screen shows `wanted` and return it.

        Raises:
            AssertionError: the time is over; the message holds the last screen.
        """
        deadline = time.monotonic() + timeout
        shown = wanted if callable(wanted) else lambda text: wanted in text
        while True:
            text = self.text()
            if shown(text):
                return text
            if time.monotonic() > deadline:
                raise AssertionError(f"not shown within {timeout} s: {what or wanted!r}\n{text}")
            if self.process.poll() is not None:
                self._reader.join(0.3)
                text = self.text()
                if shown(text):
                    return text
                raise AssertionError(f"ended with {self.process.returncode}\n{text}")
            select.select([], [], [], 0.02)

    def wait_end(self, timeout: float = 10.0) -> int:
        """Wait until the program ends and return its exit code; negative for a signal."""
        code = self.process.wait(timeout)
        self._reader.join(0.5)
        return code

    def restored(self) -> bool:
        """Return whether the program restored the main screen, the cursor and the line modes."""
        left = self.output.rfind(b"\x1b[?1049l") > self.output.rfind(b"\x1b[?1049h")
        shown = self.output.rfind(b"\x1b[?25h") > self.output.rfind(b"\x1b[?25l")
        return left and shown and termios.tcgetattr(self._slave)[3] == self.modes_before[3]

    def hang_up(self) -> None:
        """Close the terminal, as a dropped ssh connection does."""
        os.close(self._slave)
        self._slave = -1
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """End the program and free the terminal."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(TERMINATE_GRACE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for descriptor in (self._slave, self._master):
            if descriptor >= 0:
                os.close(descriptor)
        self._slave = self._master = -1


def _take_terminal() -> None:
    """Make the pseudo-terminal the controlling one, so that a hang-up sends SIGHUP."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
