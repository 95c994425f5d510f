"""The programs that are compared: how each is started and asked what it has counted."""

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
    """A subject did not start, ended early or never showed what was waited for."""


@dataclass
class Running:
    """A subject at work."""

    name: Name
    process: psutil.Process
    started_at: float
    terminal: terminal.Terminal | None = None
    port: int | None = None
    """Of its web server."""

    def cpu(self) -> float:
        """CPU-seconds of the process, its children and those that have ended."""
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def press(self, keys: str) -> float:
        """Send keys to its terminal; the monotonic moment just before."""
        if self.terminal is None:
            raise SubjectFailed(f"{self.name} takes no keys")
        return self.terminal.press(keys)

    def memory(self) -> int:
        """Resident bytes of the process and its children."""
        total = 0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def check_alive(self) -> None:
        """Raise SubjectFailed, with its last words, if it has ended."""
        if not self.process.is_running() or self.process.status() == psutil.STATUS_ZOMBIE:
            raise SubjectFailed(f"{self.name} ended: {self.last_words()}")

    def await_quiet(self, timeout: float, *, share: float = 0.25, window: float = 1.0) -> None:
        """Return once it took less than `share` of a core for `window` seconds.

        The time in which it waited for a core counts, too: a machine may be busy with other work.

        Raises:
            SubjectFailed: it ended, or was busy to the last.
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
        """How many events about tasks it says it has seen.

        Raises:
            SubjectFailed: It does not say, or says that it lost some.
        """
        if self.terminal is None:
            text = self.get("/metrics")
            found = re.findall(r"^flower_events_total\{.*?\} ([0-9.e+]+)$", text, re.MULTILINE)
            return round(sum(map(float, found)))
        text = self.terminal.screen().text
        if self.name == "celery events":
            # Its one counter is of everything, heartbeats included; it knows 10,000 tasks.
            count = re.search(r"events:\s*(\d+)", text)
            return int(count.group(1)) if count else 0
        # celtop counts tasks by state; the task that ended was received and started before.
        if lost := re.search(r"lost [\d,]+", text):
            raise SubjectFailed(f"celtop says: {lost.group()}")
        succeeded = re.search(r"SUCCESS ([\d,]+)", text)
        return 3 * int(succeeded.group(1).replace(",", "")) if succeeded else 0

    def get(self, path: str) -> str:
        """A page of its web server."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    def last_words(self) -> str:
        """What stands on its screen, in short, for a report of its failure."""
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
    """A terminal user's environment with nothing of the caller's settings."""
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
