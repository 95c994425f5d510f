"""The programs that are compared: how each is started, and how its counters are read."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import psutil
from celtop.demo.server import free_port

from . import terminal

Name: TypeAlias = Literal["celtop", "flower", "celery events", "hello", "DataTable"]
BIN = Path(sys.executable).parent
HERE = Path(__file__).resolve().parent


class SubjectFailed(RuntimeError):
    """A subject did not start, ended early or never showed the expected text."""


@dataclass
class Running:
    """A running subject."""

    name: Name
    process: psutil.Process
    started_at: float
    terminal: terminal.Terminal | None = None
    port: int | None = None
    """Of its web server."""

    def cpu(self) -> float:
        """Return the CPU-seconds of the process and its children, including ended ones."""
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def press(self, keys: str) -> float:
        """Send keys to its terminal; return the monotonic time just before."""
        if self.terminal is None:
            raise SubjectFailed(f"{self.name} takes no keys")
        return self.terminal.press(keys)

    def memory(self) -> int:
        """Return the resident bytes of the process and its children."""
        total = 0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def check_alive(self) -> None:
        """Raise SubjectFailed, with its last output, if it has ended."""
        if not self.process.is_running() or self.process.status() == psutil.STATUS_ZOMBIE:
            raise SubjectFailed(f"{self.name} ended: {self.last_output()}")

    def await_quiet(self, timeout: float, *, share: float = 0.25, window: float = 1.0) -> None:
        """Return once it took less than `share` of a core for `window` seconds.

        The time in which it waited for a core counts, too: a machine may be busy with other work.

        Raises:
            SubjectFailed: It has ended, or was busy until the timeout.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            before = self.cpu() + self._waited()
            time.sleep(window)
            self.check_alive()
            if self.cpu() + self._waited() - before < share * window:
                return
        raise SubjectFailed(f"{self.name} is still busy after {timeout:.0f} s")

    def task_events_counted(self) -> int:
        """Return how many task events it has counted.

        Raises:
            SubjectFailed: It has lost events.
        """
        if self.terminal is None:
            text = self.get("/metrics")
            found = re.findall(r"^flower_events_total\{.*?\} ([0-9.e+]+)$", text, re.MULTILINE)
            return round(sum(map(float, found)))
        text = self.terminal.screen().text
        if self.name == "celery events":
            # Its only counter includes heartbeats; it keeps 10,000 tasks.
            count = re.search(r"events:\s*(\d+)", text)
            return int(count.group(1)) if count else 0
        # celtop counts tasks by state; the task that ended was received and started before.
        if lost := re.search(r"lost [\d,]+", text):
            raise SubjectFailed(f"celtop shows: {lost.group()}")
        succeeded = re.search(r"SUCCESS ([\d,]+)", text)
        return 3 * int(succeeded.group(1).replace(",", "")) if succeeded else 0

    def get(self, path: str) -> str:
        """Return a page of its web server."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    def last_output(self) -> str:
        """Return the end of the text on its screen, for a report of its failure."""
        if self.terminal is None:
            return "(no screen)"
        lines = map(str.strip, self.terminal.screen().text.splitlines())
        return " / ".join(line for line in lines if line)[-400:]

    def _waited(self) -> float:
        """Return the seconds that its threads were ready to run and had no core; 0 if unknown."""
        waited = 0
        for process in self._tree():
            for path in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):
                    waited += int(path.read_text().split()[1])
        return waited / 1e9

    def _tree(self) -> list[psutil.Process]:
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


@contextlib.contextmanager
def running(
    name: Name,
    url: str = "",
    *,
    arguments: Sequence[str] = (),
    width: int = terminal.WIDTH,
    height: int = terminal.HEIGHT,
) -> Iterator[Running]:
    """Start a subject on a broker and end it with the block."""
    with tempfile.TemporaryDirectory(prefix="celtop-bench-") as home:
        folder = Path(home)
        if name == "flower":
            with _flower(url, folder) as flower:
                yield flower
            return
        command = [*_COMMANDS[name](url), *arguments]
        shown = terminal.start(command, environment(folder), folder, width=width, height=height)
        try:
            process = psutil.Process(shown.process.pid)
            yield Running(name, process, shown.started_at, terminal=shown)
        finally:
            shown.close()


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a terminal user, without the caller's settings."""
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }


@contextlib.contextmanager
def _flower(url: str, folder: Path) -> Iterator[Running]:
    port = free_port()
    started_at = time.monotonic()
    process = subprocess.Popen(
        [str(BIN / "celery"), "-b", url, "flower", f"--port={port}", "--address=127.0.0.1"],
        env=environment(folder),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        flower = Running("flower", psutil.Process(process.pid), started_at, port=port)
        deadline = time.monotonic() + 20
        while True:
            try:
                flower.get("/metrics")
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SubjectFailed("flower does not answer") from None
                time.sleep(0.02)
        yield flower
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


_COMMANDS: dict[Name, Callable[[str], list[str]]] = {
    "celtop": lambda url: [str(BIN / "celtop"), "-b", url],
    "celery events": lambda url: [str(BIN / "celery"), "-b", url, "events"],
    "hello": lambda url: [sys.executable, str(HERE / "hello.py")],
}
