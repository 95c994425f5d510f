"""The signatures in a task message: chains, chords and callbacks that follow it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from celtop.model.wire.signatures import PendingSignature, read_signatures
from hypothesis import given
from hypothesis import strategies as st

NONE = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def message(**links: Any) -> bytes:
    return msgspec.json.encode([[], {}, {**NONE, **links}])


def signature(name: str, id_: str | None, **more: Any) -> dict[str, Any]:
    kwargs = more.pop("kwargs", {})
    return {"task": name, "args": [], "kwargs": kwargs, "options": {"task_id": id_, **more}}


def test_most_messages_have_no_signatures() -> None:
    assert read_signatures("a", message()) == ()
    assert read_signatures("a", json.dumps([[], {}, NONE]).encode()) == ()


def test_the_next_step_of_a_chain_is_last_in_the_list() -> None:
    body = message(chain=[signature("n.c", "c"), signature("n.b", "b")])
    assert read_signatures("a", body) == (
        PendingSignature("b", "n.b", "step", "a"),
        PendingSignature("c", "n.c", "step", "b"),
    )


def test_the_body_of_a_chord_waits_for_the_group() -> None:
    body = message(chord=signature("n.body", "body", group_id="g"))
    assert read_signatures("a", body, "g") == (PendingSignature("body", "n.body", "body", "g"),)


def test_a_chord_in_a_chain_has_signatures_for_members_and_body() -> None:
    members = [signature("n.x", "x"), signature("n.y", "y")]
    header = signature("celery.group", "g", kwargs={"tasks": members})
    kwargs = {"header": header, "body": signature("n.z", "z")}
    chord = signature("celery.chord", "g", kwargs=kwargs)
    pending = read_signatures("a", message(chain=[signature("n.last", "last"), chord]))
    assert pending == (
        PendingSignature("x", "n.x", "member", "a", "g"),
        PendingSignature("y", "n.y", "member", "a", "g"),
        PendingSignature("z", "n.z", "body", "g"),
        PendingSignature("last", "n.last", "step", "z"),
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["task", "kwargs", "options", "task_id", "tasks", "header", "body", "chain"]
                ),
                inner | st.sampled_from(["celery.group", "celery.chord", "celery.chain"]),
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_any_message_can_be_read(value: Any) -> None:
    for links in ({"chain": value}, {"chord": value}, {"callbacks": value}, {"chain": [value]}):
        for each in read_signatures("a", message(**links)):
            assert each.id and isinstance(each.name, str)
    read_signatures("a", msgspec.json.encode(value))
    read_signatures("a", b"\xff\x80")
