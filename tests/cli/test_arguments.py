"""Values on the command line: JSON with the place of an error, durations and times."""

from __future__ import annotations

import click
import pytest
from celtop.cli.arguments import read_args, read_duration, read_kwargs, read_time
from celtop.cli.exit_codes import InvalidUsage


def test_json_arguments() -> None:
    assert read_args('[1, "é", null, {"a": [true]}]') == (1, "é", None, {"a": [True]})
    assert read_kwargs('{"a": 1e3}') == {"a": 1000.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2", "at the end"),
        ("[1,\n nul]", "line 2, column 2"),
        ("(1, 2)", "at (1, 2)"),
        ("[NaN]", "NaN"),
        ("[1e999]", "1e999 is too large"),
        ('[{"a": 1, "a": 2}]', '"a"'),
        ('"text"', "expected an array"),
        ("null", "expected an array"),
        ("", "must not be empty"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_invalid_json(text: str, message: str) -> None:
    with pytest.raises(InvalidUsage, match="--args") as caught:
        read_args(text)
    assert message in caught.value.message


def test_a_key_given_twice() -> None:
    with pytest.raises(InvalidUsage, match="--kwargs: "):
        read_kwargs('{"a": 1, "a": 2}')


def test_times() -> None:
    assert read_time("2030-01-31T08:00:00+01:00", now=0.0) == 1_896_073_200.0
    with pytest.raises(InvalidUsage):
        read_time("1e400", now=0.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("0.5", 0.5),
        ("30s", 30.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("400d", 34_560_000.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    context = click.Context(click.Command("any"))
    assert read_duration(context, click.Option(["--wait"]), text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "0", "nan", "1 parsec", "9999w"])
def test_invalid_durations(text: str) -> None:
    context = click.Context(click.Command("any"))
    with pytest.raises(click.BadParameter):
        read_duration(context, click.Option(["--wait"]), text)
