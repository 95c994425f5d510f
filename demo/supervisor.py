"""Runs the demo's processes: `python -m celtop.demo.supervisor SERVER SEED`, started by `cluster`.

Its stdin is a pipe that celtop holds open and never writes to. However celtop ends, even by
`kill -9`, the kernel closes the pipe, and the supervisor kills all processes that it started, group
by group. If the supervisor itself is killed, its children end through `parent_death`.

It prints one line of JSON on stdout: `{"url": ..., "logs": ...}` as soon as the broker responds, or
`{"error": ...}`. The logs are in a temporary folder, which is deleted at the end unless it failed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from .parent_death import end_with_parent
from .server import answers, free_port, server_command

SERVER_TIMEOUT: Final = 10.0
"""Seconds for the broker to respond."""
FIRST_WORKER_TIMEOUT: Final = 4.0
"""Seconds in which the first worker starts alone, so that it is on the screen sooner."""
POLL_INTERVAL: Final = 0.05
"""Seconds between two checks whether it is ready."""
FOREIGN_PREFIXES: Final = (
    "APP", "BROKER_URL", "CELERY", "CELTOP_", "CONFIG_MODULE", "DJANGO_", "LOADER",
    "RESULT_BACKEND",
)  # fmt: skip
"""Prefixes of the caller's variables that the demo must not see."""


class WorkerPlan(NamedTuple):
    """One worker's name and the options of its `celery worker`."""

    name: str
    options: tuple[str, ...]


WORKERS: Final = (
    WorkerPlan("web", ("-P", "prefork", "-c", "4", "-Q", "celery,downloads,qr", "-E")),
    WorkerPlan("geo", ("-P", "prefork", "-c", "2", "-Q", "geo_processing", "-E")),
    WorkerPlan("mail", ("-P", "threads", "-c", "4", "-Q", "mail", "-E")),
    # Without -E, as Celery's default is: celtop has to turn its events on.
    WorkerPlan("solo", ("-P", "solo", "-Q", "tags")),
)


class Supervisor:
    """The demo's processes, and the folder with their logs."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self.directory = directory
        self.environ = environ
        self._running: list[subprocess.Popen[bytes]] = []

    def spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a process in its own group, with its output in `name`.log."""
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environ),
                cwd=self.directory,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        self._running.append(process)
        return process

    def python(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a Python module as a process."""
        return self.spawn(name, [sys.executable, "-P", "-m", *arguments])

    def serve(self, binary: str) -> str:
        """Start the broker and return its URL once it responds.

        Raises:
            RuntimeError: It did not start; the message has the path of its log.
        """
        port = free_port()
        server = self.spawn("server", server_command(binary, port, self.directory))
        deadline = time.monotonic() + SERVER_TIMEOUT
        while not answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                log = self.directory / "server.log"
                raise RuntimeError(f"the demo's broker {binary} did not start; see {log}")
            time.sleep(0.01)
        return f"redis://127.0.0.1:{port}/0"

    def work(self, plan: WorkerPlan) -> None:
        """Start a worker."""
        self.python(
            plan.name, "celery", "-A", "celtop.demo.app", "worker", "-n", f"{plan.name}@demo",
            "--loglevel", "info", "--without-mingle", "--without-gossip", *plan.options,
        )  # fmt: skip

    def beat(self) -> None:
        """Start beat, which sends the periodic tasks."""
        self.python(
            "beat", "celery", "-A", "celtop.demo.app", "beat", "--loglevel", "info",
            "--pidfile=", "-s", str(self.directory / "schedule"),
        )  # fmt: skip

    def ready(self, plan: WorkerPlan) -> bool:
        """Return whether a worker is ready to consume."""
        return b" ready." in (self.directory / f"{plan.name}.log").read_bytes()

    def end(self) -> None:
        """Kill all processes; no monitor is left to receive a worker-offline event."""
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._running:
            process.wait()


def own_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without variables that configure another Celery app."""
    return {name: value for name, value in environ.items() if not name.startswith(FOREIGN_PREFIXES)}


def wait_for_end(seconds: float | None) -> bool:
    """Wait for the end of stdin; return whether it was reached."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable)


def run(binary: str, seed: str) -> int:
    """Run the demo until stdin ends; return the exit code."""
    directory = Path(tempfile.mkdtemp(prefix="celtop-demo-"))
    environ = own_environment(os.environ)
    supervisor = Supervisor(directory, environ)
    logs_wanted = False
    try:
        url = supervisor.serve(binary)
        environ.update(CELERY_BROKER_URL=url, CELERY_RESULT_BACKEND=url)
        print(json.dumps({"url": url, "logs": str(directory)}), flush=True)
        first, *rest = WORKERS
        supervisor.work(first)
        deadline = time.monotonic() + FIRST_WORKER_TIMEOUT
        while not (ended := wait_for_end(POLL_INTERVAL)) and time.monotonic() < deadline:
            if supervisor.ready(first):
                break
        if not ended:
            supervisor.python("producer", "celtop.demo.producer", seed)
            for plan in rest:
                supervisor.work(plan)
            supervisor.beat()
            wait_for_end(None)
    except (RuntimeError, OSError) as error:
        logs_wanted = True
        print(json.dumps({"error": str(error)}), flush=True)
    finally:
        supervisor.end()
        if not logs_wanted:
            shutil.rmtree(directory, ignore_errors=True)
    return int(logs_wanted)


if __name__ == "__main__":
    # The caller's ctrl-c is for celtop, whose exit closes the pipe anyway.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(run(sys.argv[1], sys.argv[2]))
