"""Changes of limits and consumers are known to other and later celtops, which undo them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from celtop.files.lasting_changes import FILE_NAME
from celtop.model.operations.commands import CancelConsumer, Operation, RateLimit
from celtop.model.operations.kept_change import SETTLED_AFTER
from celtop.model.operations.lasting import Lasting, lasting
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker

ONE = ("w1@test",)
LIMIT = RateLimit(workers=ONE, task="limited.free", rate="7/m")
CANCEL = CancelConsumer(workers=ONE, queue="b")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of these tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "celtop" / FILE_NAME


def changes(live: RunningSession) -> list[Lasting]:
    """Return the changes in force, as the header and `u` have them."""
    state = live.state
    return lasting(
        state.operations, live.session.kept_changes(time.time()), {}, state.workers, state.queues
    )


def badges(live: RunningSession) -> list[str]:
    return [change.badge for change in changes(live)]


def known(open_session: OpenSession, url: str) -> RunningSession:
    """Return a session that knows the limits and queues of the worker."""
    live = open_session(url, audit_file="")
    live.until(lambda: (w := live.state.workers.get(ONE[0])) and w.initial_limits is not None)
    live.until(lambda: live.state.workers[ONE[0]].queues)
    return live


def do(live: RunningSession, operations: Sequence[Operation]) -> None:
    for operation in operations:
        running = live.session.do(operation)
        outcome = running.future.result(20)
        assert outcome.good, outcome
        live.until(partial(_is_ended, live, outcome.number))


def _is_ended(live: RunningSession, number: int) -> bool:
    return live.state.operations[number].ended


def test_a_later_session_undoes_them_and_the_file_is_empty_again(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, file: Path
) -> None:
    start_worker(redis_url, app="limited", queues=["a", "b"])
    live = known(open_session, redis_url)
    do(live, (LIMIT, CANCEL))
    expected = ["limited.free limited", "b cancelled"]
    live.until(lambda: badges(live) == expected)
    live.session.stop()
    later = known(open_session, redis_url)
    assert badges(later) == expected
    for change in reversed(changes(later)):
        do(later, change.inverse)
    worker = later.state.workers[ONE[0]]
    later.until(lambda: not worker.limits.get(LIMIT.task) or not worker.limits[LIMIT.task].rate)
    later.until(lambda: sorted(queue.name for queue in worker.queues or ()) == ["a", "b"])
    assert badges(later) == [] and json.loads(file.read_text()) == {}


def test_another_session_shows_a_change_and_that_it_was_undone(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker
) -> None:
    start_worker(redis_url, app="limited", queues=["a", "b"])
    one, other = known(open_session, redis_url), known(open_session, redis_url)
    do(one, (LIMIT,))
    one.until(lambda: badges(one) == ["limited.free limited"])
    other.until(lambda: badges(other) == ["limited.free limited"])
    do(other, changes(other)[0].inverse)
    assert badges(other) == []
    one.until(lambda: badges(one) == [])


def test_a_worker_that_restarts_ends_a_change(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, file: Path
) -> None:
    worker = start_worker(redis_url, app="limited", queues=["a", "b"])
    live = known(open_session, redis_url)
    do(live, (LIMIT,))
    live.session.stop()
    worker.stop()
    # As if it had been set a while ago.
    content = json.loads(file.read_text())
    for (entry,) in content.values():
        entry["at"] -= SETTLED_AFTER
    file.write_text(json.dumps(content))
    start_worker(redis_url, app="limited", queues=["a", "b"])
    later = known(open_session, redis_url)
    assert badges(later) == []
    later.until(lambda: badges(later) == [] and json.loads(file.read_text()) == {})


def test_a_file_that_cannot_be_written_is_logged_and_this_session_still_undoes_it(
    redis_url: str, open_session: OpenSession, start_worker: StartWorker, file: Path
) -> None:
    start_worker(redis_url, app="limited", queues=["a", "b"])
    live = known(open_session, redis_url)
    file.mkdir(parents=True)
    do(live, (LIMIT,))
    live.until(lambda: any(text.startswith(f"Cannot write {file}") for text in live.log))
    assert badges(live) == ["limited.free limited"]
