from __future__ import annotations

import msgspec
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


def test_a_finding_that_lasted_before_the_start_goes_on() -> None:
    known = {"events-lost": {"events": 1.0}, "worker-lost": {"worker w": 0.5}}
    times = FirstFound()
    early = Finding("worker-lost", "error", "worker", "lost", "w", since=101.0, grew_at=101.0)
    assert [one.since for one in times.update((LOST,), 100.0)] == [100.0]
    for now in (102.0, 150.0, 200.0):  # the history is read meanwhile
        lost, gone = times.update((LOST, early), now, known)
        assert (lost.since, gone.since, gone.grew_at) == (1.0, 0.5, None)
    late = msgspec.structs.replace(early, since=180.0, grew_at=190.0)
    (gone,) = times.update((late,), 201.0, known)
    assert (gone.since, gone.grew_at) == (180.0, 190.0)
    (lost,) = times.update((LOST,), 210.0, known)
    assert lost.since == 210.0, "it had ended"


def test_a_finding_that_is_found_again_after_its_end_does_not_go_on() -> None:
    known = {"worker-lost": {"worker w": 0.5}}
    times = FirstFound()
    times.update((), 100.0, known)
    times.update((), 170.0, known)
    again = Finding("worker-lost", "error", "worker", "lost", "w", since=110.0)
    (gone,) = times.update((again,), 180.0, known)
    assert gone.since == 110.0


def test_an_exact_beginning_is_kept() -> None:
    times = FirstFound()
    (gone,) = times.update((GONE,), 100.0, {"worker-lost": {"worker w": 0.5}})
    assert gone.since == 3.0
