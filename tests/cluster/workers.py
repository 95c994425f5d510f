"""A worker of each pool and a session that watches them, for all the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery
from celtop.model.operations.commands import Operation
from celtop.model.operations.outcome import Outcome
from celtop.tests.cluster.conftest import RunningSession
from celtop.tests.servers import CeleryWorker

POOLS = {
    "prefork": {"pool": "prefork"},
    "threads": {"pool": "threads"},
    "solo": {"pool": "solo"},
    "scaled": {"pool": "prefork", "options": ("--autoscale=4,2",)},
}


class Workers:
    """Real workers, named after their pools, and a session.

    Args:
        directory: The folder for their logs.
        broker_url: The URL of their broker.
        pools: Names in `POOLS`: one worker is started for each.
    """

    def __init__(self, directory: Path, broker_url: str, pools: Sequence[str]) -> None:
        self.url = broker_url
        self.audit_file = directory / "audit.jsonl"
        self.workers = {
            pool: CeleryWorker(
                directory,
                broker_url,
                name=pool,
                conf={"worker_pool_restarts": pool == "prefork"},
                **POOLS[pool],  # type: ignore[arg-type]
            )
            for pool in pools
        }
        for worker in self.workers.values():
            worker.ready()
        self.app = Celery("client", broker=broker_url, fixups=set(), set_as_current=False)
        self.live = RunningSession(broker_url, audit_file=str(self.audit_file))
        self.live.until_live()
        self.live.until(lambda: set(self.live.state.workers) >= set(self.names()))

    def names(self, *pools: str) -> tuple[str, ...]:
        """Return the names of the workers with these pools, or of all."""
        return tuple(self.workers[pool].name for pool in pools or self.workers)

    def do(self, command: Operation, timeout: float = 30.0) -> Outcome:
        """Run an operation to its end, and bring the model up to date."""
        outcome = self.live.session.do(command).future.result(timeout)
        self.live.pump()
        assert outcome.ended
        return outcome

    def send(self, name: str, *args: object, **options: Any) -> str:
        """Send a task, to the queue that all of them consume unless another is named."""
        return str(self.app.send_task(name, args=args, **options).id)

    def logged(self, pool: str, text: str) -> bool:
        """Return whether the log of a worker contains a text."""
        return text in self.workers[pool].child.output

    def inspect(self, pool: str, question: str, *args: Any) -> Any:
        """Return a reply to a command of Celery's own `inspect`."""
        name = self.workers[pool].name
        replies = self.app.control.inspect(destination=[name], timeout=10, limit=1)
        answer = getattr(replies, question)(*args)
        return answer[name]

    def stop(self) -> None:
        self.live.session.stop()
        self.app.close()
        for worker in self.workers.values():
            worker.child.kill()


@contextmanager
def workers(directory: Path, broker_url: str, *pools: str) -> Iterator[Workers]:
    """Run workers as long as the context lasts."""
    started = Workers(directory, broker_url, pools)
    try:
        yield started
    finally:
        started.stop()
