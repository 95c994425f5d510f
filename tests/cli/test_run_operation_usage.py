"""Acting commands that make no sense: told before anything is asked of a broker, with code 2."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from celtop.cli.arguments import read_args, read_kwargs, read_time
from celtop.cli.exit_codes import Misuse
from celtop.cli.selection import read_filter
from celtop.tests.cli.conftest import celtop, narrated

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("revoke", "by ID"),
        ("revoke 1 --filter name:a", "by ID"),
        ("revoke 1 --workflow 2", "by ID"),
        ("revoke 1 --signal KILL", "--terminate"),
        ("revoke 1 --terminate --signal HUP", "SIGUSR1"),
        ("revoke --filter nonsense:1", "nonsense"),
        ("revoke --filter name:", "its value is missing"),
        ("revoke --stamp header", "HEADER=VALUE"),
        ("revoke --stamp a=1 --stamp b=2", "one header"),
        ("revoke -", "stdin"),
        ("retry", "by ID"),
        ("retry 1 --queue=", "--queue wants a name"),
        ("trigger", "NAME"),
        ("trigger a\udcff", "NAME is not UTF-8"),
        ('trigger a.b --args ["\udcff"]', "--args is not UTF-8"),
        ("trigger a.b --queue=", "--queue wants a name"),
        ("trigger a.b --args {}", "a JSON array is wanted"),
        ("trigger a.b --args [1,]", "line 1, column"),
        ("trigger a.b --kwargs [1]", "a JSON object is wanted"),
        ("trigger a.b --kwargs @/nonexistent/file", "No such file"),
        ("trigger a.b --args - --kwargs -", "stdin cannot be both"),
        ("trigger a.b --countdown 1 --eta 2999-01-01", "give one"),
        ("trigger a.b --eta soon", "no time"),
        ("trigger a.b --eta 1999-01-01", "has passed"),
        ("trigger a.b --expires 0", "--expires"),
        ("control", "celtop control --help"),
        ("control grow 1", "--worker NAME"),
        ("control grow 1 --all -w a", "--worker NAME"),
        ("control grow 0 --all", "N"),
        ("control shutdown --worker=", "--worker wants a name"),
        ("control shutdown -d a,,b", "--worker wants a name"),
        ("control ping --worker=", "--worker wants a name"),
        ("control pool_shrink", "--worker NAME"),
        ("control autoscale 1 4 --all", "largest"),
        ("control rate-limit a.b often --all", "10/m"),
        ("control time-limit a.b --all", "--soft"),
        ("control time-limit a.b --all --soft never", "--soft"),
        ("control shutdown", "--worker NAME"),
        ("control disable-events", "--worker NAME"),
        ("purge", "QUEUE"),
    ],
)
def test_a_line_that_makes_no_sense(line: str, told: str) -> None:
    assert told in narrated(celtop("-b", NOWHERE, *line.split(), "--yes"), 2)


@pytest.mark.parametrize(
    "line",
    ["revoke 1", "retry 1", "trigger a.b --queue q", "control shutdown --all", "purge q",
     "control pause q", "control enable-events"],
)  # fmt: skip
def test_without_a_terminal_somebody_has_to_say_yes(line: str) -> None:
    assert "--yes" in narrated(celtop("-b", NOWHERE, *line.split()), 2)


def test_a_broker_that_cannot_be_reached() -> None:
    lines = ("revoke 1", "trigger a.b --queue q", "control ping", "purge q", "control drain --all")
    with ThreadPoolExecutor(len(lines)) as pool:
        ended = pool.map(lambda line: celtop("-b", NOWHERE, *line.split(), "-y"), lines)
    for one in ended:
        assert "cannot reach the broker" in narrated(one, 3)


class TestFilter:
    """A filter of which a part is not understood would mean more than was meant."""

    @pytest.mark.parametrize("text", ["name:geo.*", "name:a state:received", '"two words"', "id:*"])
    def test_good(self, text: str) -> None:
        assert read_filter(text).text == text

    @pytest.mark.parametrize(
        "text",
        ["", "  ", "name:", "name:a state:", "name:a nope:b", "runtime:>soon", "name:~[", "!"],
    )
    def test_bad(self, text: str) -> None:
        with pytest.raises(Misuse, match="--filter"):
            read_filter(text)


class TestValues:
    """JSON, with the place of what is wrong with it."""

    def test_good(self) -> None:
        assert read_args('[1, "é", null, {"a": [true]}]') == (1, "é", None, {"a": [True]})
        assert read_kwargs('{"a": 1e3}') == {"a": 1000.0}

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("[1, 2", "line 1, column"),
            ("[1,\n nul]", "line 2, column 2"),
            ("(1, 2)", "near '(1, 2)'"),
            ("[NaN]", "NaN is no JSON number"),
            ('"text"', "not a text"),
            ("null", "not null"),
            ("", "line 1, column 1"),
            ("[" * 100_000, "nested"),
        ],
    )
    def test_bad(self, text: str, told: str) -> None:
        with pytest.raises(Misuse, match="--args") as caught:
            read_args(text)
        assert told in caught.value.message

    def test_time(self) -> None:
        assert read_time("2030-01-31T08:00:00+01:00", now=0.0) == 1_896_073_200.0
        with pytest.raises(Misuse):
            read_time("1e400", now=0.0)
