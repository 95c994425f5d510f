"""Workers that share a name: an operation reaches each, and its outcome counts each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celtop.cluster.operations.registry import perform
from celtop.model.operations.commands import Operation, Ping, Revoke
from celtop.model.operations.outcome import KnownTargets, Outcome
from celtop.model.operations.summary import sentence
from celtop.tests.cluster.operations.run_operation import OperationRun
from celtop.tests.servers import CeleryWorker

NAME = "w1@test"


def done(url: str, operation: Operation, number: int = 1) -> Outcome:
    shared = KnownTargets(namesakes={NAME: number} if number > 1 else {})
    run = OperationRun(url, operation, known_targets=shared)
    run.run(perform)
    return run.ended()


@pytest.fixture
def two(redis_url: str, tmp_path: Path) -> Iterator[str]:
    """Two workers of one name; returns the broker's URL."""
    started = []
    for number in range(2):
        directory = tmp_path / str(number)
        directory.mkdir()
        alone = ("--without-gossip",)
        started.append(CeleryWorker(directory, redis_url, pool="solo", options=alone))
    for worker in started:
        worker.ready()
    yield redis_url
    for worker in started:
        worker.child.kill()


def test_each_of_two_workers_of_one_name_counts(two: str) -> None:
    pinged = done(two, Ping((NAME,)), 2)
    assert pinged.namesakes == {NAME: 2}
    assert sentence(pinged) == "Pinged w1@test; 2 of 2 workers replied"
    revoked = done(two, Revoke(ids=("a",), workers=(NAME,)), 2)
    assert sentence(revoked) == "Revoked 1 task; 2 of 2 workers confirmed"
    expecting_a_third = done(two, Ping((NAME,)), 3)
    assert expecting_a_third.workers[NAME].text == "only 2 of 3 workers with this name replied"
    assert not expecting_a_third.good
