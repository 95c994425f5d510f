"""The loop without a screen, on a source of prepared observations."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest
from celtop.cli.interrupts import stop_on_signal
from celtop.cluster.session import Pumped
from celtop.collector.loop import Collected, CollectorLoop
from celtop.model.entities.changes import Changes
from celtop.model.observations import Observation
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch


class PreparedSource:
    """Has one observation for each pump, and nothing after the last one."""

    def __init__(self, *observations: Observation) -> None:
        self.state = ClusterState()
        self._left = list(observations)

    def pump(self, now: float, budget: float) -> Pumped:
        if not self._left:
            return Pumped(0, False)
        self.state.observe(self._left.pop(0))
        return Pumped(1, bool(self._left))

    def call_on_update(self, callback: Callable[[], object]) -> None:
        callback()


class Recording:
    """Keeps what it was passed, and calls something after each update."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.changes: list[Changes] = []
        self.times: list[float] = []
        self._then = then

    def update(self, state: ClusterState, changes: Changes, now: float) -> None:
        self.changes.append(changes)
        self.times.append(now)
        self._then()

    @property
    def tasks(self) -> list[str]:
        return [id_ for changes in self.changes for id_ in changes.tasks]


def received(id_: str) -> EventBatch:
    event = Event(type="task-received", hostname="w", uuid=id_, name="t", timestamp=1_000.0)
    return EventBatch((event,), at=1_000.0)


def steps(seconds: float) -> Callable[[], float]:
    """Return a clock that goes on by so many seconds whenever it is read."""

    def times() -> Iterator[float]:
        now = 1_000.0
        while True:
            yield now
            now += seconds

    return times().__next__


def test_sinks_get_every_change_once_and_the_last_ones_at_the_end() -> None:
    source = PreparedSource(received("a"), received("b"), received("c"))
    loop = CollectorLoop((), steps(0.3))
    first, second = Recording(then=loop.stop), Recording()
    loop.clusters = (Collected(source, (first, second)),)
    loop.run()
    assert first.tasks == second.tasks == ["a", "b", "c"]
    assert len(first.times) == 2, "one update of the full second, one at the end"


def test_sinks_are_updated_once_a_second_without_changes_too() -> None:
    loop = CollectorLoop((), steps(0.26))
    sink = Recording(then=lambda: loop.stop() if len(sink.times) == 3 else None)
    loop.clusters = (Collected(PreparedSource(), (sink,)),)
    loop.run()
    assert [int(time) for time in sink.times[:3]] == [1_001, 1_002, 1_003]
    assert sink.tasks == []


def test_several_clusters_are_pumped_in_turn() -> None:
    sources = PreparedSource(received("a")), PreparedSource(received("b"))
    loop = CollectorLoop((), steps(0.5))
    sinks = Recording(), Recording(then=loop.stop)
    loop.clusters = tuple(
        Collected(source, (sink,)) for source, sink in zip(sources, sinks, strict=True)
    )
    loop.run()
    assert [sink.tasks for sink in sinks] == [["a"], ["b"]]


def test_at_the_end_all_received_events_are_applied() -> None:
    source = PreparedSource(*(received(str(number)) for number in range(20)))
    loop = CollectorLoop([])
    sink = Recording()
    loop.clusters = (Collected(source, (sink,)),)
    loop.stop()
    loop.run()
    assert sink.tasks == [str(number) for number in range(20)]


def test_an_error_of_a_sink_ends_the_loop() -> None:
    def fail() -> None:
        raise OSError("disk full")

    loop = CollectorLoop([Collected(PreparedSource(), (Recording(then=fail),))], steps(0.5))
    with pytest.raises(OSError, match="disk full"):
        loop.run()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_loop(number: int) -> None:
    sink = Recording()
    loop = CollectorLoop([Collected(PreparedSource(received("a")), (sink,))])
    before = signal.getsignal(number)
    sender = threading.Timer(0.05, os.kill, (os.getpid(), number))
    with stop_on_signal(loop.stop):
        sender.start()
        loop.run()
    assert sink.tasks == ["a"]
    assert signal.getsignal(number) is before


def test_another_thread_asks_in_the_loops_thread() -> None:
    loop = CollectorLoop([Collected(PreparedSource(), ())])
    answers: list[object] = []

    def ask() -> None:
        answers.append(loop.ask(threading.get_ident, 5.0))
        with pytest.raises(ZeroDivisionError):
            loop.ask(lambda: 1 // 0, 5.0)
        loop.stop()

    asking = threading.Thread(target=ask)
    asking.start()
    loop.run()
    asking.join()
    assert answers == [threading.get_ident()]


def test_a_question_that_is_not_answered_in_time_is_dropped() -> None:
    loop = CollectorLoop([Collected(PreparedSource(), ())])
    asked: list[None] = []
    with pytest.raises(TimeoutError):
        loop.ask(lambda: asked.append(None), 0.0)
    loop.stop()
    loop.run()
    assert not asked
