"""Any bytes are decoded to events or counted as malformed."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from celtop.model.text.coerce import (
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
    parse_timestamp,
    to_float,
    to_int,
    to_text,
    truncate,
)
from celtop.model.wire.events import MAX_FIELDS, decode
from hypothesis import given
from hypothesis import strategies as st

from ..streams import NOW, Fields, Script

RECEIVED: Fields = Script("a").received().events[0]


def one(**changed: Any) -> Any:
    batch = decode(msgspec.json.encode({**RECEIVED, **changed}), NOW)
    assert batch.malformed == ()
    return batch.events[0]


def reasons(body: bytes | str) -> tuple[str, ...]:
    batch = decode(body, NOW)
    assert batch.events == ()
    return batch.malformed


def test_a_message_contains_one_event_or_a_list() -> None:
    single = decode(msgspec.json.encode(RECEIVED), NOW)
    several = decode(msgspec.json.encode([RECEIVED, RECEIVED]), NOW)
    assert [event.uuid for event in single.events] == ["a"]
    assert several.events == single.events * 2
    assert several.at == NOW


def test_the_timestamp_is_never_shifted_by_the_sender_s_time_zone() -> None:
    assert one(timestamp=NOW, utcoffset=-9).timestamp == NOW


def test_text_is_accepted_as_well_as_bytes() -> None:
    assert decode(msgspec.json.encode(RECEIVED).decode(), NOW).events[0].name == "shop.bill"


def test_unknown_fields_are_ignored() -> None:
    assert one(shoe_size=44) == one()


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        ("signum", "15", "15"),
        ("signum", 15, 15),
        ("args", [1, "b"], '[1, "b"]'),
        ("kwargs", {"a": None}, '{"a": null}'),
        ("retries", "3", 3),
        ("retries", {}, None),
        ("retries", 10**30, None),
        ("runtime", "1.5", 1.5),
        ("eta", 12, "12"),
        ("timestamp", None, NOW),
        ("timestamp", "yesterday", NOW),
        ("timestamp", -1, NOW),
        ("timestamp", 1e300, NOW),
        ("pid", "x", None),
        ("terminated", "yes", True),
        ("loadavg", "high", None),
        ("loadavg", [1, "2", None, 4], (1.0, 2.0, 0.0)),
    ],
)
def test_a_field_of_another_type_is_converted_or_dropped(
    field: str, sent: object, read: object
) -> None:
    assert getattr(one(**{field: sent}), field) == read
    assert one(**{field: sent}).uuid == "a"


def test_a_malformed_event_does_not_affect_others() -> None:
    odd = {**RECEIVED, "args": [1]}
    batch = decode(msgspec.json.encode([RECEIVED, odd, {"type": 3}, RECEIVED]), NOW)
    assert [event.args for event in batch.events] == ["('a',)", "[1]", "('a',)"]
    assert batch.malformed == ("no type",)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"uuid": None}, "task event without uuid"),
        ({"uuid": ""}, "task event without uuid"),
        ({"uuid": 5}, "task event without uuid"),
        ({"uuid": "x" * (MAX_NAME_LENGTH + 1)}, "task event with an overlong uuid"),
        ({"hostname": None}, "no hostname"),
        ({"hostname": ""}, "no hostname"),
        ({"type": ""}, "no type"),
        ({"type": "task-"}, "task event without a subject"),
        ({"type": "task-foo", "uuid": None}, "task event without uuid"),
    ],
)
def test_malformed_events_have_a_reason(changed: Fields, reason: str) -> None:
    assert reasons(msgspec.json.encode({**RECEIVED, **changed})) == (reason,)


@pytest.mark.parametrize("missing", ["uuid", "hostname", "type"])
def test_a_missing_field_is_a_reason(missing: str) -> None:
    fields = {name: value for name, value in RECEIVED.items() if name != missing}
    assert len(reasons(msgspec.json.encode(fields))) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"\x80\x04cposix\nsystem\n", "not JSON"),
        (b"3", "not an object"),
        (b"null", "not an object"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 1_000_000, "nested too deeply"),
    ],
)
def test_messages_without_events_are_counted(body: bytes, reason: str) -> None:
    assert reasons(body) == (reason,)


def test_deep_nesting_inside_a_field_is_harmless() -> None:
    deep = b'{"type":"task-foo","uuid":"a","hostname":"h","x":' + b"[" * 900 + b"]" * 900 + b"}"
    batch = decode(deep, NOW)
    assert len(batch.events) + len(batch.malformed) == 1


def test_nan_and_overlong_numbers_are_read() -> None:
    body = b'{"type":"task-foo","uuid":"a","hostname":"h","x":NaN,"y":-Infinity,"z":' + b"9" * 9000
    fields = decode(body + b"}", NOW).events[0].fields
    assert fields is not None
    assert math.isnan(fields["x"])  # type: ignore[arg-type]
    assert fields["y"] == -math.inf
    assert fields["z"] == math.inf


def test_invalid_utf8_and_lone_surrogates_become_text_that_can_be_encoded() -> None:
    body = b'{"type":"task-sent","uuid":"a","hostname":"h\xff","name":"\\ud800x"}'
    event = decode(body, NOW).events[0]
    assert (event.hostname, event.name) == ("h�", "\ufffdx")
    event.hostname.encode()


def test_ten_megabytes_are_cut_with_a_marker() -> None:
    long = "x" * 10_000_000
    event = one(args=long, name=long, exception=None)
    assert event.args == "x" * MAX_TEXT_LENGTH + "… [9,737,856 more characters]"
    assert len(event.name) == MAX_NAME_LENGTH + 1
    odd = one(args=[long], name=long)
    assert len(odd.args) < MAX_TEXT_LENGTH + 100
    assert len(odd.name) == MAX_NAME_LENGTH + 1


def test_custom_events_keep_fields_of_any_name() -> None:
    sent = {"current": 3, "total": "7", "name": ["a"], "retries": {"b": 1}, "done": True, "n": None}
    event = one(type="task-progress", **sent)
    assert event.type == "task-progress"
    assert event.fields is not None
    assert {**event.fields} | {"args": 0} == {
        **{name: value for name, value in RECEIVED.items() if name not in {
            "type", "uuid", "hostname", "timestamp", "utcoffset", "pid", "clock"}},
        **{"current": 3, "total": "7", "name": '["a"]', "retries": '{"b": 1}'},
        **{"done": True, "n": None, "args": 0},
    }  # fmt: skip
    assert (event.name, event.retries) == (None, None)


def test_custom_fields_are_bounded() -> None:
    many = {f"field {i}": "x" * 10_000 for i in range(500)}
    fields = one(type="task-foo", **many).fields
    assert len(fields) == MAX_FIELDS
    assert max(len(value) for value in fields.values() if isinstance(value, str)) < 5_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NAMES = st.sampled_from([*RECEIVED, "result", "signum", "loadavg", "freq", "active", "expired"])
TYPES = st.sampled_from(["task-received", "task-x", "worker-heartbeat", "my-event", "task-sent"])


@given(st.binary() | st.text())
def test_never_raises_on_any_bytes(body: bytes | str) -> None:
    decode(body, NOW)


@given(st.dictionaries(NAMES, JSON), TYPES)
def test_never_raises_on_any_fields(fields: Fields, type_: str) -> None:
    body = json.dumps({"type": type_, "uuid": "a", "hostname": "h", **fields})
    batch = decode(body.encode("utf-8", "surrogatepass"), NOW)
    assert len(batch.events) + len(batch.malformed) == 1
    for event in batch.events:
        assert 0 <= event.timestamp < 1e12
        msgspec.msgpack.encode(event)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00", 60.0),
        ("1970-01-01T00:01:00+00:00", 60.0),
        ("1970-01-01T01:01:00+01:00", 60.0),
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T00:01:00.250000", 60.25),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        ("9" * 1000, None),
        ("", None),
        (None, None),
    ],
)
def test_iso_times(text: str | None, seconds: float | None) -> None:
    assert parse_timestamp(text) == seconds


def test_numbers() -> None:
    assert (to_float("1.5"), to_float(True), to_float("nan"), to_float([1])) == (
        1.5,
        1.0,
        None,
        None,
    )
    assert (to_int("7"), to_int(2**70), to_int("x")) == (7, None, None)


def test_texts() -> None:
    assert to_text(None) is None
    assert to_text({"a": 1}) == '{"a": 1}'
    assert to_text("abcdef", 3) == "abc…"
    assert truncate("a" * MAX_TEXT_LENGTH) == "a" * MAX_TEXT_LENGTH
