"""Filters are completed: field names, then values that tasks have."""

from __future__ import annotations

import pytest
from celtop.model.query.completion import completions
from celtop.model.query.language import parse_query

VALUES = {
    "state": ("FAILURE", "SUCCESS", "failed"),
    "name": ("billing.charge", "geo.charge", "two words", 'a,"b"', "bad\x1b"),
}


def offered(text: str) -> list[str]:
    return [one.text for one in completions(text, lambda field: VALUES.get(field, ()))]


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("st", ["state:", "started:"]),
        ("geo !wo", ["geo !worker:"]),
        ("state:fa", ["state:FAILURE", "state:failed"]),
        ("STATE:success,fa", ["STATE:success,FAILURE", "STATE:success,failed"]),
        ("name:charge", ["name:billing.charge", "name:geo.charge"]),
        ("name:=bil", ["name:=billing.charge"]),
        ("name:two", ['name:"two words"']),
        ('name:"two w', ['name:"two words"']),
        ("name:a,", [f"name:a,{one}" for one in
                     ("billing.charge", "geo.charge", '"two words"', '"a,\\"b\\""')]),
        ("age:", ["age:>10s", "age:>1m", "age:>1h", "age:<5m"]),
        ("finished:<1", ["finished:<1h", "finished:<1d"]),
        ("name:~^bil", []),
        ("nonsense:x", []),
        ("state:FAILURE", []),
        ("name:bad", []),
    ],
)  # fmt: skip
def test_the_last_word_is_completed(text: str, texts: list[str]) -> None:
    assert offered(text) == texts


def test_without_a_word_all_fields_are_offered() -> None:
    assert offered("")[:3] == ["state:", "name:", "worker:"]
    assert offered("geo ")[0] == "geo state:"


def test_a_completion_has_whether_it_only_adds_to_the_text() -> None:
    found = completions("name:CHARGE", lambda _: VALUES["name"])
    assert [one.extends for one in found] == [False, False]
    (found_state,) = completions("state:f", lambda _: ("FAILURE",))
    assert found_state.extends and found_state.label == "FAILURE"


@pytest.mark.parametrize("value", ["two words", 'a,"b"', "back\\slash", "x:y", "plain"])
def test_a_completed_value_finds_what_it_names(value: str) -> None:
    (found,) = completions("name:", lambda _: (value,))
    (term,) = parse_query(found.text).terms
    assert [one.text for one in term.condition.values] == [value]  # type: ignore[union-attr]
