"""Entries of the result backend at any place between events and replies, and of any content."""

from __future__ import annotations

import random
from typing import Any, Literal

from celtop.model.entities.result import ResultMeta
from celtop.model.entities.states import FINISHED
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import InspectReply, ResultsRead
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from celtop.tests.model.ingest.results.test_backend_results import seen
from celtop.tests.model.ingest.tasks.events.test_task_events_against_celery_state import (
    LIVES,
    recount,
)
from celtop.tests.model.streams import NOW, WORKER, Fields, Script, event
from hypothesis import given
from hypothesis import strategies as st

TOLD_BY_EVENTS = (
    "state", "state_at", "state_host", "worker", "name", "args", "kwargs", "result", "exception",
    "traceback", "sent_at", "received_at", "started_at", "finished_at", "runtime", "retries",
    "attempts",
)  # fmt: skip
COUNTED = (
    "events", "sent", "received", "started", "succeeded", "failed", "retried", "revoked",
    "rejected",
)  # fmt: skip

SOURCES: tuple[Literal["push", "poll", "history", "lookup"], ...] = (
    "push", "poll", "history", "lookup",
)  # fmt: skip


@st.composite
def metas(draw: st.DrawFn) -> ResultsRead:
    status = draw(
        st.sampled_from(
            ("PENDING", "STARTED", "PROGRESS", "RETRY", "SUCCESS", "FAILURE", "REVOKED", "Odd one")
        )
    )
    ended = status in ("SUCCESS", "FAILURE", "REVOKED")
    meta = ResultMeta(
        "a",
        status,
        draw(st.sampled_from((None, {"progress": 7}, {"current": 2, "total": 3}, "text"))),
        exception="Odd()" if status == "FAILURE" else None,
        done_at=draw(st.sampled_from((None, NOW + 2.5, NOW + 5))) if ended else None,
        retries=draw(st.sampled_from((None, 1))),
    )
    return ResultsRead((meta,), NOW + draw(st.integers(0, 12)), draw(st.sampled_from(SOURCES)))


@st.composite
def answers(draw: st.DrawFn) -> InspectReply:
    item = {"id": "a", "name": "shop.bill", "time_start": NOW + draw(st.sampled_from((2, 3, 5.01)))}
    command = draw(st.sampled_from(("active", "reserved")))
    held = [item] if command == "reserved" or draw(st.booleans()) else []
    return InspectReply(WORKER, command, held, NOW + draw(st.integers(0, 12)))


def observe_any(state: ClusterState, one: Fields | InspectReply | ResultsRead) -> None:
    if isinstance(one, dict):
        state.observe(EventBatch((event(one),), NOW))
    else:
        state.observe(one)


@given(
    st.sampled_from(sorted(LIVES)),
    st.lists(metas(), min_size=1, max_size=6),
    st.lists(answers(), max_size=3),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_the_backend_changes_no_result_of_events_and_replies(
    life: str,
    results: list[ResultsRead],
    answered: list[InspectReply],
    chance: random.Random,
    disordered: bool,
) -> None:
    events: list[Fields | InspectReply] = list(LIVES[life](Script("a")).events)
    if disordered:
        chance.shuffle(events)
    for answer in answered:
        events.insert(chance.randint(0, len(events)), answer)
    both: list[Fields | InspectReply | ResultsRead] = list(events)
    for meta in results:
        both.insert(chance.randint(0, len(both)), meta)
    alone, state = ClusterState(), ClusterState()
    for sent in events:
        observe_any(alone, sent)
    ended = False
    for one in both:
        before = state.tasks["a"].state if "a" in state.tasks else None
        observe_any(state, one)
        task = state.tasks.get("a")
        if isinstance(one, ResultsRead) and before in FINISHED:
            assert task is not None and task.finished, "a finished task was moved back"
            assert not ended or task.state == before
        ended = task is not None and task.finished and task.state_host is not None
    assert_same(state, alone)


def assert_same(state: ClusterState, alone: ClusterState) -> None:
    task, expected = state.tasks["a"], alone.tasks["a"]
    if expected.finished:
        for name in TOLD_BY_EVENTS:
            assert getattr(task, name) == getattr(expected, name), name
    for name in COUNTED:
        assert getattr(state.totals, name) == getattr(alone.totals, name), name
    for name in ("received", "succeeded", "failed", "retried"):
        for mine, theirs in zip(state.workers.values(), alone.workers.values(), strict=True):
            assert getattr(mine, name) == getattr(theirs, name), name
    for kind in alone.types.values():
        type_ = state.types[kind.name]
        for name in ("received", "succeeded", "failed", "retried", "revoked", "exceptions"):
            assert getattr(type_, name) == getattr(kind, name), name
        assert type_.runtime.count == kind.runtime.count
        assert type_.wait.count == kind.wait.count
    by_state, text_bytes, by_type = recount(state)
    assert state.totals.by_state == by_state
    assert state.totals.text_bytes == text_bytes
    assert {name: kind.states for name, kind in state.types.items() if kind.states} == by_type


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers() | st.none(), inner)
        | st.dictionaries(st.sampled_from(("current", "total", "progress", "status")), inner)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(("PROGRESS", "STARTED", "SUCCESS", "FAILURE", "\udc80", " ", "x" * 500)),
    odd,
    odd,
    st.text(st.characters()) | st.none() | st.just("\udc80"),
)
def test_any_entry_is_accepted(status: str, result: Any, args: Any, text: str | None) -> None:
    state = ClusterState(redaction=Redaction(["secret"]))
    fields: dict[str, Any] = dict.fromkeys(
        ("name", "worker", "queue", "group_id", "parent_id", "root_id", "traceback", "exception"),
        text,
    )
    task = seen(state, status, result=result, args=args, kwargs=args, **fields)
    assert task.id == "a" and len(task.state) <= 65
    assert recount(state)[1] == state.totals.text_bytes
    for value in (task.state, task.name, task.queue, task.result, task.args, task.exception):
        assert value is None or "\udc80" not in value
