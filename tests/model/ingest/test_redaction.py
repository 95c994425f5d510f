"""Matches of the user's patterns are nowhere in the model."""

from __future__ import annotations

import json

import pytest
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import InspectReply, QueuePeeked, WaitingMessage
from celtop.model.operations.commands import Trigger
from celtop.model.operations.outcome import PublishedTask
from celtop.model.state import ClusterState
from celtop.model.text.masking import MASK
from hypothesis import given
from hypothesis import strategies as st

from ..operation_cases import done, observe_outcome
from ..streams import NOW, WORKER, Script, play

REDACTION = Redaction(["password", "token", r"\d{16}"])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("{'password': 'x', 'a': 1}", "{'password': '***', 'a': 1}"),
        ("{'PassWord': 'x', 'a': 1}", "{'PassWord': '***', 'a': 1}"),
        (r"{'password': 'it\'s', 'a': 1}", "{'password': '***', 'a': 1}"),
        (r"{'password': 'a\\', 'b': 1}", "{'password': '***', 'b': 1}"),
        ("""{'password': "a'b", 'c': 2}""", """{'password': "***", 'c': 2}"""),
        ('{"user_password": "x", "n": 2}', '{"user_password": "***", "n": 2}'),
        ('{"password_hash": "x", "n": 2}', '{"password_hash": "***", "n": 2}'),
        ("Foo(password='x', b=2)", "Foo(password='***', b=2)"),
        ("password=SecretStr('x, y'), c=3", "password=***, c=3"),
        ("{'password': b'x'}", "{'password': b'***'}"),
        ("{'password': 1234, 'b': 1}", "{'password': ***, 'b': 1}"),
        ("{'password': ['a', 'b'], 'c': 1}", "{'password': ***, 'c': 1}"),
        ("{'password': {'x': {...}}, 'c': 1}", "{'password': ***, 'c': 1}"),
        ("d['password'] = 'x'", "d['password'] = '***'"),
        (r'"{\"password\": \"se\\\"c\", \"z\": 1}"', r'"{\"password\": \"***\", \"z\": 1}"'),
        ("url?token=abc&x=1 rest", "url?token=***&x=1 rest"),
        ("password: hunter two, b", "password: ***, b"),
        ("{'password': 'secr", "{'password': '***"),
        ("{'password': 'secr...", "{'password': '***"),
        ("{'password': ['a', 'b", "{'password': ***"),
        ("{'password'", "{'***'"),
        ("card 1234567890123456 x", "card *** x"),
        ("my password is x", "my *** is x"),
        ("password == x", "*** == x"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_texts(text: str, masked: str) -> None:
    assert REDACTION.text(text) == masked


def test_values() -> None:
    value = {
        "password": {"deep": 1},
        "list": [1234567890123456, "token=x", True, None, 2.5],
        "pair": (1, "password"),
        "1234567890123456": 1,
    }
    before = repr(value)
    assert REDACTION.value(value) == {
        "password": MASK,
        "list": [MASK, "token=***", True, None, 2.5],
        "pair": (1, MASK),
        MASK: 1,
    }
    assert repr(value) == before


def test_deeply_nested_values_are_masked_completely() -> None:
    value: list[object] = []
    value.append(value)
    assert MASK in repr(REDACTION.value(value))


SECRET = "s3cr3tsauce"
KEYS = st.text("abcdefgh _'\"\\", max_size=8)
PLAIN = st.one_of(st.integers(), st.booleans(), st.none(), st.text(max_size=8))


@given(
    st.dictionaries(KEYS, PLAIN, max_size=3),
    st.sampled_from([SECRET, SECRET + "'", '"' + SECRET, "\\" + SECRET + "\\", f"\n{SECRET}, x"]),
    st.sampled_from([lambda v: v, lambda v: [v, 1], lambda v: {"k": (v,)}, lambda v: v.encode()]),
    st.dictionaries(KEYS, PLAIN, max_size=3),
    st.floats(0, 1),
)
def test_no_secret_is_left_in_a_cut_repr_or_json(
    before: dict[str, object], secret: str, wrap: object, after: dict[str, object], cut: float
) -> None:
    assert callable(wrap)
    value = {**before, "password": wrap(secret), **after}
    texts = [repr(value)]
    if not isinstance(value["password"], bytes):
        texts += [json.dumps(value), json.dumps(json.dumps(value))]
    for text in texts:
        assert SECRET not in REDACTION.text(text)
        assert SECRET not in REDACTION.text(text[: int(len(text) * cut)])


@given(st.text("pasword'\"\\:=[]{}(), \n", max_size=200))
def test_any_text_is_accepted(text: str) -> None:
    masked = Redaction(["pass", "word"]).text(text)
    assert "pass" in text or "word" in text or masked == text


def test_long_texts_are_masked_quickly() -> None:
    for text in ("password" * 30_000, "{'password': [" * 20_000, r"password=(\'" * 20_000):
        assert MASK in REDACTION.text(text)


def test_without_patterns_nothing_changes_and_invalid_ones_are_errors() -> None:
    assert not Redaction().active and not Redaction([""]).active
    value = {"password": "x"}
    assert Redaction().value(value) is value
    assert Redaction().text("password=x") == "password=x"
    with pytest.raises(ValueError, match="not a regular expression"):
        Redaction(["("])


def test_no_secret_enters_the_model() -> None:
    state = ClusterState(redaction=REDACTION)
    secret = f"{{'password': '{SECRET}'}}"
    trace = f"Traceback\n  login(password='{SECRET}')\nValueError: token={SECRET}"
    script = Script("a").sent(kwargs=secret).received(kwargs=secret, args=f"({secret},)").started()
    script.progress(password=SECRET, message=f"token={SECRET}")
    script.retried(exception=f"E(token='{SECRET}')", traceback=trace)
    script.received(retries=1, kwargs=secret).started()
    script.failed(exception=f"E(token='{SECRET}')", traceback=trace)
    play(script.events, state)
    play(Script("b").received(kwargs=secret).succeeded(result=secret).events, state)
    for command, number in (("active", 1), ("reserved", 2), ("scheduled", 3)):
        item: dict[str, object] = {
            "id": f"i{number}",
            "name": "x",
            "args": [{"password": SECRET}],
            "kwargs": secret,
        }
        item["time_start"] = NOW
        reply = [{"eta": None, "request": item}] if command == "scheduled" else [item]
        state.observe(InspectReply(WORKER, command, reply, NOW))
    peeked = (WaitingMessage("p", "x", "geo", args=f"({secret},)", kwargs=secret),)
    state.observe(QueuePeeked("geo", peeked, NOW, True))
    sent = (PublishedTask("s", "x", "geo", NOW, args=f"({secret},)", kwargs=secret),)
    observe_outcome(state, done(Trigger(()), sent=sent))
    assert set(state.tasks) == {"a", "b", "i1", "i2", "i3", "p", "s"}
    for held in state.tasks.values():
        assert SECRET not in repr(held)
        assert MASK in repr(held)
    assert state.totals.text_bytes == sum(held.text_bytes for held in state.tasks.values())
