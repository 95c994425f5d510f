"""One rule decides what a task was sent with: exactly, or not at all, with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.cluster.lookup.best_source import KnownTask, best_source, known_task
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import OperationChanged, ResultsRead
from celtop.model.operations.call import Call, Recovered, SentTask, Unrecoverable
from celtop.model.operations.commands import Trigger
from celtop.model.operations.outcome import Outcome, PublishedTask
from celtop.model.routing import Routing
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch


def in_django(args: Any = "(1, 'a')", kwargs: Any = "{'b': [2.5, None]}") -> ResultMeta:
    """Return an entry of django-celery-results, which has only texts."""
    return ResultMeta("id", "SUCCESS", name="a.b", args=args, kwargs=kwargs)


def found(known: KnownTask, meta: ResultMeta | None, routing: Routing | None = None) -> SentTask:
    one = best_source(known, routing or Routing({"a.b": "routed"}), meta=meta)
    assert isinstance(one, SentTask), one
    return one


def test_texts_in_the_backend_are_read_back_exactly() -> None:
    one = found(KnownTask("id"), in_django())
    assert (one.source, one.call.args, one.call.kwargs) == ("backend", (1, "a"), {"b": [2.5, None]})
    assert (one.call.queue, one.queue_reason) == ("routed", "the app's routes")


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        (in_django("('aaa...', ...)"), "the arguments cannot be read from the result backend: Cel"),
        (in_django("(datetime.date(2026, 1, 1),)"), "contains more than plain values"),
        (in_django(kwargs="{'secret': '***'}"), "the text is partly masked"),
        (in_django(r"('C:\new',)"), "backslash"),
        (in_django(None, None), "result_extended is off"),
        (None, "the result backend has no result for it"),
    ],
)
def test_an_uncertain_text_is_not_read(meta: ResultMeta | None, reason: str) -> None:
    one = best_source(KnownTask("id"), Routing(), meta=meta)
    assert isinstance(one, Unrecoverable)
    assert reason in one.reason
    if meta is not None:
        assert (one.args_text, one.kwargs_text) == (meta.args, meta.kwargs)


def test_the_queue_of_the_events_is_kept() -> None:
    one = found(KnownTask("id", queue="seen"), in_django())
    assert (one.call.queue, one.queue_reason) == ("seen", None)
    assert found(KnownTask("id"), in_django(), Routing()).call.queue is None


def test_another_serializer_is_not_sent_as_json() -> None:
    known = known_task("id", ClusterState())
    assert known.serializer == "json"
    one = best_source(KnownTask("id", serializer="pickle"), Routing(), meta=in_django())
    assert isinstance(one, Unrecoverable)
    assert "sends pickle" in one.reason


def _event(state: ClusterState) -> None:
    event = Event("task-received", "w@h", 1.0, uuid="id", name="a.b", args="(1,)", kwargs="{}")
    state.observe(EventBatch((event,), 1.0))


def _backend(state: ClusterState) -> None:
    meta = ResultMeta("id", "SUCCESS", name="a.b", args="(1,)", kwargs="{}", done_at=1.0)
    state.observe(ResultsRead((meta,), 1.0, "history"))


def _end(state: ClusterState) -> None:
    _backend(state)
    state.observe(EventBatch((Event("task-succeeded", "w@h", 2.0, uuid="id"),), 2.0))


def _sending(state: ClusterState) -> None:
    sent = PublishedTask("id", "a.b", "q", 1.0, args="(1,)", kwargs="{}")
    outcome = Outcome(1, Trigger(calls=(Call("a.b"),)), 1.0, 1.0, sent=(sent,))
    state.observe(OperationChanged(outcome, 1.0))


@pytest.mark.parametrize(
    ("observe", "source"),
    [(_event, "event"), (_backend, "backend"), (_end, "backend"), (_sending, "sent")],
)
def test_the_source_of_a_text_is_named(observe: Any, source: str) -> None:
    state = ClusterState()
    observe(state)
    one: Recovered = best_source(known_task("id", state), Routing())
    assert isinstance(one, SentTask)
    assert (one.source, one.call.args) == (source, (1,))
