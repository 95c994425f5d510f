"""Runs operations from the command line on a real cluster."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery
from celtop.tests import preloaded
from celtop.tests.cli.conftest import CELTOP
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import CeleryWorker, clean_environment, until

ALONE = ("--without-gossip",)


class Cluster:
    """A broker, and celtop on it with a state folder of its own."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self.directory = directory
        self.env = clean_environment(
            XDG_CONFIG_HOME="/nonexistent", XDG_STATE_HOME=str(directory / "state")
        )
        self.app = Celery("asker", broker=url, fixups=set(), set_as_current=False)

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return preloaded.run((*CELTOP, "-b", self.url, *words), env=self.env, input=stdin)

    def run_confirmed(
        self, *words: str, code: int = 0, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with --yes; it must exit with `code` and without a traceback."""
        ended = self.run(*words, "--yes", stdin=stdin)
        assert ended.returncode == code, (ended.stdout, ended.stderr)
        assert "cli/main.py" not in ended.stderr
        return ended

    def outcome(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Return the JSON that a command prints."""
        found: dict[str, Any] = json.loads(self.run_confirmed(*words, "--json", code=code).stdout)
        assert found["schema"] == "celtop.outcome/1"
        return found

    def asked(self, command: str, worker: CeleryWorker, **arguments: Any) -> Any:
        """Return a worker's reply to an inspect command, sent by Celery."""

        def answer() -> list[Any]:
            replies = self.app.control.broadcast(
                command, arguments=arguments, destination=[worker.name], reply=True, timeout=2.0
            )
            return [reply[worker.name] for reply in replies or ()]

        return until(answer, what=f"{worker.name} answers {command}")[0]

    def audit(self) -> list[dict[str, Any]]:
        """Return the lines of the audit file."""
        files = [path for path in (self.directory / "state").rglob("*") if "audit" in path.name]
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def start_obedient(start_worker: StartWorker, cluster: Cluster, **options: Any) -> CeleryWorker:
    """Start a worker of `obedient.py` that does not wait for other workers."""
    alone = (*ALONE, *options.pop("options", ()))
    return start_worker(cluster.url, app="obedient", options=alone, **options)


@contextmanager
def shared_cluster(
    url: str, directory: Path, **options: Any
) -> Iterator[tuple[Cluster, CeleryWorker]]:
    """A cluster with one worker of `obedient.py`, for many tests: starting one is slow."""
    cluster = Cluster(url, directory)
    worker = CeleryWorker(directory, url, app="obedient", options=ALONE, **options)
    try:
        yield cluster, worker.ready()
    finally:
        worker.child.kill()
        cluster.app.close()


def logged(worker: CeleryWorker, text: str, times: int = 1, timeout: float = 20.0) -> None:
    """Wait until a worker's log holds a text so often."""
    try:
        until(lambda: worker.child.output.count(text) >= times, timeout)
    except AssertionError:
        tail = worker.child.output[-2000:]
        raise AssertionError(f"{text!r} is not {times} times in the log:\n{tail}") from None


@contextmanager
def broadcasts(client: Any, method: str) -> Iterator[Callable[[], int]]:
    """Count the remote-control messages of a kind that go over a Redis meanwhile."""
    listener = client.pubsub()
    listener.psubscribe("*pidbox*")
    until(lambda: listener.get_message(timeout=0.1), what="it listens")
    found = 0

    def count() -> int:
        nonlocal found
        while (message := listener.get_message(timeout=0.2)) is not None:
            if message["type"] == "pmessage" and method in _decoded(message["data"]):
                found += 1
        return found

    yield count
    listener.close()


def _decoded(data: str) -> str:
    import base64

    document = json.loads(data)
    body = document["body"]
    if document["properties"].get("body_encoding") == "base64":
        body = base64.b64decode(body).decode()
    return str(json.loads(body).get("method"))
