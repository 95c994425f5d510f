"""The links of a message that is sent again; its arguments are never changed."""

from __future__ import annotations

import json
import pickle
from typing import Any

import msgspec
import pytest
from celtop.cluster.operations.running import Refused
from celtop.cluster.operations.tasks.links import JSON, MSGPACK, PICKLE, has_links, relinked
from celtop.model.operations.call import RawMessage
from hypothesis import given
from hypothesis import strategies as st
from kombu.compression import compress

NONE = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
STEP = {
    "task": "app.next",
    "args": [{"task_id": "untouched"}],
    "kwargs": {},
    "options": {"task_id": "second", "root_id": "first", "parent_id": "first", "queue": "q"},
    "subtask_type": None,
}


def message(body: bytes, content_type: str = JSON, **headers: Any) -> RawMessage:
    encoding = "utf-8" if content_type == JSON else "binary"
    return RawMessage(body, content_type, encoding, headers, 3)


def without(raw: RawMessage) -> RawMessage:
    return relinked(raw, "first", "new", keep=False)


@pytest.mark.parametrize(
    "body",
    [
        b'[[1.0, 1e400, NaN, "\\ud800", {"a": 1, "a": 2}], {"b" : 1e-7}, {"chain": [1]}]',
        b' [ [],{}\n,\t{"callbacks": [{}], "chain": null} ] ',
        '[["ü"], {}, {"chord": {"task": "x"}}]'.encode(),
    ],
)
def test_only_the_links_are_rewritten(body: bytes) -> None:
    found = without(message(body, tenant="acme"))
    head = body[: body.index(b'{"ch' if b'{"ch' in body else b'{"ca')]
    assert found.body.startswith(head)
    assert not any(json.loads(found.body)[2].values())
    assert (found.headers, found.priority) == ({"tenant": "acme"}, 3)


@pytest.mark.parametrize("keep", [False, True])
def test_a_message_without_links_stays_byte_for_byte(keep: bool) -> None:
    for body in (json.dumps([[1], {"k": 2}, NONE]), '[[],{},{"chain":[],"x":null}]', "[[],{},{}]"):
        raw = message(body.encode())
        assert relinked(raw, "first", "new", keep=keep) is raw
    packed = message(msgspec.msgpack.encode([[b"\xff"], {}, NONE]), MSGPACK)
    assert relinked(packed, "first", "new", keep=keep) is packed


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", JSON),
        (b"[[], {}]", JSON),
        (b'[[], {}, "text"]', JSON),
        (b'[[], {}, {}] "more"', JSON),
        (b"[[], {}, {}", JSON),
        (b"[" * 100_000, JSON),
        (b"\xff", JSON),
        (b"", JSON),
        (b"- []\n- {}\n- {}\n", "application/x-yaml"),
        (b"not a pickle", PICKLE),
        (b".", PICKLE),
        (b"", ""),
        (msgspec.msgpack.encode([[], {}, {"chain": [1]}]), MSGPACK),
        (msgspec.msgpack.encode([[], {}]), MSGPACK),
    ],
)
def test_unreadable_links_are_refused_or_kept_whole(body: bytes, content_type: str) -> None:
    raw = message(body, content_type)
    with pytest.raises(Refused, match="cannot be removed"):
        without(raw)
    assert relinked(raw, "first", "new", keep=True) is raw


def test_links_are_detected_in_every_format() -> None:
    chord = {**NONE, "chord": {"task": "x"}}
    chain = {**NONE, "chain": [STEP]}
    for links, follows in ((NONE, False), (chord, False), (chain, True)):
        assert has_links(message(json.dumps([[1], {}, links]).encode())) is follows
    for links, follows in ((NONE, False), (chain, True)):
        assert has_links(message(pickle.dumps(([b"x"], {}, links)), PICKLE)) is follows
        assert has_links(message(msgspec.msgpack.encode([[], {}, links]), MSGPACK)) is follows
    body, _ = compress(json.dumps([[1], {}, chain]).encode(), "zlib")
    assert has_links(message(body, compression="application/x-gzip"))
    assert has_links(message(b"[[], {}]")) and has_links(message(b"", ""))


def test_a_compressed_message_stays_so_unless_it_has_links() -> None:
    for links, changed in ((NONE, False), ({**NONE, "chain": [STEP]}, True)):
        plain = json.dumps([["ü"], {}, links]).encode()
        body, _ = compress(plain, "zlib")
        raw = message(body, compression="application/x-gzip")
        found = without(raw)
        assert (found is not raw) is changed
        if changed:
            assert found.headers == {} and json.loads(found.body)[0] == ["ü"]
    with pytest.raises(Refused):
        without(message(b"broken", compression="application/x-gzip"))


def test_kept_links_get_consistent_new_ids() -> None:
    third = {**STEP, "options": {"task_id": "third", "root_id": "first", "parent_id": "second"}}
    group = {
        "task": "celery.group",
        "kwargs": {"tasks": [third, {**STEP, "options": {"task_id": "x", "group_id": "g"}}]},
        "options": {"group_id": "g", "task_id": "g"},
    }
    links = {**NONE, "chain": [group, STEP], "callbacks": [{"task": "app.link", "options": {}}]}
    body = json.dumps([[{"options": {"task_id": "first"}, "task": "mine"}], {}, links]).encode()
    found = json.loads(relinked(message(body), "first", "new", keep=True).body)
    assert found[0] == [{"options": {"task_id": "first"}, "task": "mine"}]
    chain = found[2]["chain"]
    step = chain[1]["options"]
    assert (step["root_id"], step["parent_id"], step["queue"]) == ("new", "new", "q")
    last, member = (one["options"] for one in chain[0]["kwargs"]["tasks"])
    assert last["parent_id"] == step["task_id"]
    ids = {step["task_id"], last["task_id"], member["task_id"], member["group_id"]}
    assert len(ids) == 4 and ids.isdisjoint({"first", "second", "third", "x", "g", "new"})
    assert chain[0]["options"] == {"group_id": member["group_id"], "task_id": member["group_id"]}
    assert chain[1]["args"] == [{"task_id": "untouched"}]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.text()
    | st.sampled_from(["callbacks", "errbacks", "chain", "chord"]),
    lambda children: (
        st.lists(children) | st.lists(children).map(tuple) | st.dictionaries(st.text(), children)
    ),
    max_leaves=10,
)  # fmt: skip
links = st.fixed_dictionaries(
    {key: st.none() | st.just([]) | st.lists(values, max_size=2) for key in NONE}
)


@given(st.lists(values), st.dictionaries(st.text(), values), links, st.integers(2, 5))
def test_a_pickle_with_links_is_never_taken_for_one_without(
    args: list[Any], kwargs: dict[str, Any], carried: dict[str, Any], protocol: int
) -> None:
    shared: list[Any] = []
    if carried["chain"] == []:
        # One and the same list, filled after it was first written.
        args, carried = [shared, *args], {**carried, "chain": shared}
        shared.append(1)
    raw = message(pickle.dumps((args, kwargs, carried), protocol), PICKLE)
    try:
        assert without(raw) is raw
    except Refused:
        taken = False
    else:
        taken = True
    if any(carried.values()):
        assert not taken
    elif all(value is None for value in carried.values()):
        assert taken
