"""Entries are decoded without running any code."""

from __future__ import annotations

import json
import pickle
import secrets
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from celtop.cluster.results.backends.decode import (
    Undecoded,
    epoch,
    exception_text,
    from_mapping,
    from_payload,
    load,
    without_large_result,
)
from celtop.model.entities.result import ResultMeta
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils import json as kombu_json


class Bomb:
    """Leaves a file behind if anybody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def meta(**fields: Any) -> ResultMeta:
    return from_payload("id", json.dumps({"status": "SUCCESS", "result": None, **fields}).encode())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_not_loaded_but_its_state_is_read(tmp_path: Path, protocol: int) -> None:
    trap = tmp_path / "loaded"
    stored = {"status": "FAILURE", "result": Bomb(trap), "traceback": None}
    found = from_payload("id", pickle.dumps(stored, protocol))
    assert (found.status, found.undecoded, found.result) == ("FAILURE", "pickle", None)
    assert found.exception is None
    assert not trap.exists()
    pickle.loads(pickle.dumps(stored, protocol))
    assert trap.exists()  # so the trap does work


def test_a_pickle_in_disguise_is_not_loaded(tmp_path: Path) -> None:
    trap = tmp_path / "loaded"
    packed = zlib.compress(pickle.dumps({"status": "SUCCESS", "result": Bomb(trap)}))
    found = from_payload("id", b"\0celery-compressed\0application/x-gzip\0" + packed)
    assert (found.status, found.undecoded) == ("SUCCESS", "pickle")
    assert from_payload("id", pickle.dumps(Bomb(trap))).status is None
    assert not trap.exists()


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "neither JSON nor MessagePack"),
        (b'{"status": "SUCC', "neither JSON nor MessagePack"),
        (b"\xff\xfe", "neither JSON nor MessagePack"),
        (b"status: SUCCESS\n", "neither JSON nor MessagePack"),
        (b"[1, 2]", "not a Celery result"),
        (b"[" * 100_000, "nested too deeply"),
        (b"\0celery-compressed\0application/x-gzip\0oops", "cannot decompress application/x-gzip"),
        (b"\0celery-compressed\0no/such\0oops", "cannot decompress no/such: unknown codec"),
    ],
)
def test_undecodable_payloads_have_a_reason(payload: bytes, words: str) -> None:
    found = from_payload("id", payload)
    assert found.status is None and not found.ready
    assert found.undecoded is not None and found.undecoded.startswith(words)


def test_compressed_and_packed_results() -> None:
    stored = {"status": "SUCCESS", "result": {"n": [1, 2.5, "ü", None]}}
    for packed in (
        json.dumps(stored).encode(),
        msgspec.msgpack.encode(stored),
        b"\0celery-compressed\0application/x-gzip\0" + zlib.compress(json.dumps(stored).encode()),
    ):
        assert from_payload("id", packed).result == {"n": [1, 2.5, "ü", None]}


@pytest.mark.parametrize("compressed", [False, True])
def test_an_entry_without_its_large_result_has_everything_else(compressed: bool) -> None:
    def packed(**fields: Any) -> bytes:
        data = json.dumps({"status": "SUCCESS", **fields}).encode()
        head = b"\0celery-compressed\0application/x-gzip\0"
        # Random digits: the payload is large even when it is compressed.
        return head + zlib.compress(data) if compressed else data

    large = [secrets.token_hex() for _ in range(10_000)]
    found = without_large_result("id", packed(result=large, group_id="g", args=[1], kwargs={}))
    assert (found.status, found.result, found.group_id, found.args) == ("SUCCESS", None, "g", [1])
    assert found.undecoded is not None and found.undecoded.endswith("bytes, too large to decode")
    # The arguments are needed to send the task again.
    for payload in (packed(result=7, args=large), packed(result=7), b"[" * 300_000):
        assert without_large_result("id", payload) == from_payload("id", payload)


def test_types_of_kombus_json_are_restored() -> None:
    values = [
        Decimal("1.10"), UUID(int=7), datetime(2026, 1, 2, tzinfo=UTC), b"\xff\x00", b"text",
    ]  # fmt: skip
    assert load(kombu_json.dumps(values)) == values
    foreign = {"__type__": "money", "__value__": {"cents": 5}}
    broken = {"__type__": "decimal", "__value__": "a lot"}
    found = load(kombu_json.dumps([foreign, broken]))
    assert found == [foreign, broken]
    assert json.loads(kombu_json.dumps(found)) == [foreign, broken]


@pytest.mark.parametrize(
    ("described", "text"),
    [
        ({"exc_type": "KeyError", "exc_message": ["x"], "exc_module": "builtins"}, "KeyError('x')"),
        ({"exc_type": "Boom", "exc_message": [1, "b"], "exc_module": "m"}, "Boom(1, 'b')"),
        ({"exc_type": "Boom", "exc_message": [], "exc_module": "m"}, "Boom()"),
        ({"exc_type": "Outer.Inner", "exc_message": "text"}, "Outer.Inner('text')"),
        ({"exc_type": "system", "exc_message": "halt", "exc_module": "os"}, "system('halt')"),
        ({"exc_type": ["no", "text"]}, "{'exc_type': ['no', 'text']}"),
        ("it broke", "it broke"),
        ({"step": 3}, "{'step': 3}"),
        (17, "17"),
        (None, None),
    ],
)  # fmt: skip
def test_an_exception_is_described_and_never_created(described: Any, text: str | None) -> None:
    assert exception_text(described) == text
    assert meta(status="FAILURE", result=described).exception == text
    assert meta(status="SUCCESS", result=described).exception is None
    assert meta(status="SUCCESS", result=described).result == described


def test_times_count_only_when_the_task_has_ended() -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC).timestamp()
    done = "2026-03-04T05:06:07"
    assert meta(date_done=done).done_at == at  # Celery 4 and 5.0 write UTC without saying so
    assert meta(date_done=done + "+00:00").done_at == at
    assert meta(date_done="2026-03-04T14:06:07+09:00").done_at == at
    assert meta(date_done=done, status="PROGRESS").done_at is None
    tokyo = ZoneInfo("Asia/Tokyo")
    assert epoch(datetime(2026, 3, 4, 14, 6, 7), tokyo) == at
    odd_ones: tuple[Any, ...] = (None, "", "yesterday", [], True, float("nan"), float("inf"))
    for odd in odd_ones:
        assert meta(date_done=odd).done_at is None
    assert epoch(datetime.min, tokyo) is None


def test_children_of_every_kind() -> None:
    single, group = [["a", None], None], [["g", None], [[["b", None], None], [["c", None], None]]]
    assert meta(children=[single, group, single]).children == ("a", "b", "c")
    assert meta(children=[["old", None]]).children == ("old",)
    deep: list[Any] = []
    for _ in range(200):
        deep = [[["x", None], deep]]
    for odd in (None, "text", 5, [5, [], [[]], [None, 3], [{}, None]], deep):
        assert meta(children=odd).children == ()


def test_fields_of_result_extended() -> None:
    found = meta(
        name="t.add", args=[1, {"__type__": "decimal", "__value__": "1.10"}], kwargs={"x": None},
        worker="w1", retries=2, queue="q", group_id="g", parent_id="p", root_id="r",
        stamped_headers=["tenant", "missing"], tenant=["acme"],
    )  # fmt: skip
    assert found.exact_arguments
    assert (found.args, found.kwargs) == ([1, Decimal("1.10")], {"x": None})
    assert (found.name, found.worker, found.retries, found.queue) == ("t.add", "w1", 2, "q")
    assert (found.group_id, found.parent_id, found.root_id) == ("g", "p", "r")
    assert found.stamps == {"tenant": ["acme"]}
    assert not meta(args="(1,)", kwargs="{}").exact_arguments
    assert not meta(args=[1]).exact_arguments
    assert not from_mapping("id", {"args": [], "kwargs": {}}, exact=False).exact_arguments


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(PLAIN, st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_plain_values_are_read_out_of_a_pickle(value: Any, protocol: int) -> None:
    # Not by dumps alone: it keeps in its memo what happens to be the same object.
    data = pickle.dumps(json.loads(json.dumps(value)), protocol)
    assert load(data) == json.loads(json.dumps(value))
    tuples = pickle.dumps(((1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), (), b"bytes"), protocol)
    if protocol > 2:
        assert load(tuples) == ((1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), (), b"bytes")


def test_a_pickle_does_not_grow_beyond_its_size() -> None:
    laugh: list[Any] = ["ha"]
    for _ in range(100):
        laugh = [laugh, laugh]
    for odd in (laugh, {1, 2}, datetime(2026, 1, 1), Decimal(1), print, ValueError("x")):
        with pytest.raises(Undecoded, match="pickle"):
            load(pickle.dumps(odd))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = (
    "status", "result", "traceback", "date_done", "name", "args", "kwargs", "worker", "retries",
    "queue", "group_id", "parent_id", "root_id", "children", "stamped_headers",
)  # fmt: skip


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, ANYTHING)))
def test_fields_of_a_wrong_type_are_ignored(fields: dict[str, Any]) -> None:
    found = from_payload("id", json.dumps(fields).encode())
    assert found.status is None or isinstance(found.status, str)
    assert all(isinstance(child, str) for child in found.children)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(payload: bytes) -> None:
    assert isinstance(from_payload("id", payload), ResultMeta)
    assert isinstance(from_payload("id", b"\0celery-compressed\0" + payload), ResultMeta)
    with pytest.raises(Undecoded):
        load(b"\x80\x04" + payload)


def test_text_payloads_are_read_too() -> None:
    assert from_payload("id", '{"status": "SUCCESS", "result": "ü"}').result == "ü"
    assert load(memoryview(b"[1]")) == [1]
    assert load(None) is None


@pytest.mark.parametrize("status", ["PROGRESS", "STARTED", "PENDING", "RETRY", "SUCCESS", 3, None])
@pytest.mark.parametrize(
    "more", [{}, {"traceback": "at"}, {"children": [[["child", None], None]]}, {"result": "text"}]
)
def test_a_report_is_read_as_an_entry_with_further_fields(
    status: object, more: dict[str, object]
) -> None:
    entry = {"status": status, "result": {"done": 1}, "traceback": None, "children": []}
    entry |= {"date_done": "2026-01-02T03:04:05", "task_id": "id", **more}
    assert from_mapping("id", entry) == from_mapping("id", {**entry, "worker": None})
