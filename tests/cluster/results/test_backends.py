"""Real workers fill each kind of backend, and their results are read."""

from __future__ import annotations

import json
import threading
import time

import pytest
from celtop.tests.cluster.results.conftest import FilledBackend

LONG = "ü→\N{PILE OF POO}é\\" * 1000
NESTED = {"rows": [{"id": 1, "tags": ["a", None, True]}, {"id": 2.5}], "empty": {}}


def listed(value: object) -> object:
    """Return a value as JSON has it: before Celery 5.7 a database keeps its tuples."""
    return json.loads(json.dumps(value))


def test_a_backend(backend: FilledBackend, request: pytest.FixtureRequest) -> None:
    every_kind_of_entry(backend, django="django" in request.node.name)
    several_threads_at_once(backend)


def every_kind_of_entry(backend: FilledBackend, *, django: bool) -> None:
    before = time.time()
    unknown = "00000000-dead-beef-0000-000000000000"
    running = backend.send("progress", 30.0)
    again = backend.send("retry")

    good = backend.run("echo", LONG, NESTED, kwargs={"key": NESTED})
    assert listed(good.result) == {"args": [LONG, NESTED], "kwargs": {"key": NESTED}}
    assert (good.undecoded, good.exception, good.traceback) == (None, None, None)
    assert good.ready and good.done_at is not None
    assert before - 1 <= good.done_at <= time.time() + 1
    assert (good.name, good.worker) == ("results.echo", "w1@test")
    assert good.exact_arguments is not django
    if django:
        assert good.created_at is not None and before - 1 <= good.created_at <= good.done_at
        assert isinstance(good.args, str) and good.args.startswith("('ü→")
    else:
        assert good.args == [LONG, NESTED] and good.kwargs == {"key": NESTED}
        assert (good.queue, good.retries) == ("celery", 0)

    bad = backend.run("fail", 1, status="FAILURE")
    assert bad.exception == "ValueError('no such file', 404)"
    assert bad.traceback is not None and "in fail" in bad.traceback
    assert bad.ready and bad.done_at is not None

    by_hand = backend.run("by_hand", "it broke", status="FAILURE")
    assert (by_hand.result, by_hand.exception) == ("it broke", "it broke")

    under_way = backend.until(running, "PROGRESS")
    assert under_way.result == {"current": 3, "total": 10}
    assert not under_way.ready and under_way.done_at is None and under_way.exception is None

    retried = backend.until(again, "RETRY")
    assert retried.exception == "ConnectionError('try later')"
    assert not retried.ready and retried.done_at is None

    family = backend.run("parent")
    if backend.has_children:
        [child] = family.children
        assert listed(backend.until(child, "SUCCESS").result) == {"args": ["child"], "kwargs": {}}

    ids = [good.id, unknown, bad.id, running, "../celery", "a b\n", "x" * 300, "ü", "a\0b"]
    found = backend.reader.read(ids)
    assert set(found) == {good.id, bad.id, running}
    assert found[good.id] == good
    assert backend.reader.read([]) == {}


def several_threads_at_once(backend: FilledBackend) -> None:
    ids = [backend.send("echo", number) for number in range(30)]
    found: dict[str, object] = {}

    def wait(id_: str) -> None:
        found[id_] = listed(backend.until(id_, "SUCCESS").result)

    threads = [threading.Thread(target=wait, args=(id_,)) for id_ in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    assert found == {id_: {"args": [i], "kwargs": {}} for i, id_ in enumerate(ids)}
