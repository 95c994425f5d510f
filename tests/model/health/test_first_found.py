from __future__ import annotations

from celtop.model.health.finding import Finding
from celtop.model.health.first_found import FirstFound

LOST = Finding("events-lost", "error", "events", "lost")
GONE = Finding("worker-lost", "error", "worker", "lost", "w", since=3.0)


def test_a_finding_without_a_beginning_began_when_it_was_first_found() -> None:
    times = FirstFound()
    assert [one.since for one in times.update((LOST, GONE), 10.0)] == [10.0, 3.0]
    assert [one.since for one in times.update((LOST,), 20.0)] == [10.0]
    assert [one.since for one in times.dated((LOST, GONE))] == [10.0, 3.0]
    assert times.update((), 30.0) == ()
    assert [one.since for one in times.dated((LOST,))] == [None]
    assert [one.since for one in times.update((LOST,), 40.0)] == [40.0]
