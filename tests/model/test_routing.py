"""The queue of a task that has none of its own is determined by one rule."""

from __future__ import annotations

from celtop.model.observations import InspectReply
from celtop.model.routing import routing
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch


def consuming(*queues: str, tasks: tuple[str, ...] = ("a.b",), name: str = "w1@h") -> ClusterState:
    """Return a cluster with one worker."""
    state = ClusterState()
    state.observe(EventBatch((Event("worker-heartbeat", name, 1.0),), 1.0))
    state.observe(InspectReply(name, "registered", list(tasks), 1.0))
    state.observe(InspectReply(name, "active_queues", [{"name": one} for one in queues], 1.0))
    return state


def sent(state: ClusterState, id_: str, queue: str, name: str = "a.b") -> None:
    event = Event("task-sent", "client", 1.0, uuid=id_, name=name, queue=queue)
    state.observe(EventBatch((event,), 1.0))


def test_the_apps_route_comes_first_and_its_default_last() -> None:
    state = consuming("own")
    sent(state, "1", "seen")
    assert routing(state, {"a.b": "routed"}, "plain").queue("a.b") == ("routed", "the app's routes")
    found = routing(state, {}, "plain")
    assert found.queue("a.b") == ("seen", "other tasks with its name")
    assert found.queue("c.d") == ("plain", "the app's default")


def test_the_only_queue_of_the_workers_that_know_the_task() -> None:
    assert routing(consuming("own"), {}).queue("a.b") == (
        "own",
        "the workers that have registered it",
    )
    assert routing(consuming("own"), {}).queue("c.d") is None
    assert routing(consuming(), {}).queue("a.b") is None
    both = routing(consuming("one", "two"), {})
    assert both.queue("a.b") is None
    assert both.candidates("a.b") == ("one", "two")


def test_an_ambiguous_queue_is_only_suggested() -> None:
    state = consuming("one")
    for number, queue in enumerate(("one", "two", "two")):
        sent(state, str(number), queue)
    found = routing(state, {})
    assert found.queue("a.b") is None
    assert found.usual_queue("a.b") == "two"
    assert found.usual_queue("c.d") is None
    assert found.candidates("a.b") == ("one", "two")
