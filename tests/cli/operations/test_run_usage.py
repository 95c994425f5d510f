"""Invalid operations: refused with exit code 2 before the broker is contacted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from celtop.tests.cli.conftest import celtop, error_text

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("revoke", "Pass one of: task ids"),
        ("revoke 1 --filter name:a", "Pass one of: task ids"),
        ("revoke 1 --workflow 2", "Pass one of: task ids"),
        ("revoke 1 --signal KILL", "--terminate"),
        ("revoke 1 --terminate --signal HUP", "SIGUSR1"),
        ("revoke --filter nonsense:1", "nonsense"),
        ("revoke --filter name:", "has no value"),
        ("revoke --stamp header", "HEADER=VALUE"),
        ("revoke --stamp a=1 --stamp b=2", "the same header"),
        ("revoke -", "stdin"),
        ("retry", "Pass either task ids"),
        ("retry 1 --queue=", "--queue must not be empty"),
        ("purge q --task=", "--task must not be empty"),
        ("trigger", "NAME"),
        ("trigger a\udcff", "NAME is not UTF-8"),
        ('trigger a.b --args ["\udcff"]', "--args is not UTF-8"),
        ("trigger a.b --queue=", "--queue must not be empty"),
        ("trigger a.b --args {}", "--args: expected an array"),
        ("trigger a.b --args [1;2]", "column 3"),
        ("trigger a.b --kwargs [1]", "--kwargs: expected an object"),
        ("trigger a.b --kwargs @/nonexistent/file", "No such file"),
        ("trigger a.b --args - --kwargs -", "cannot both be read from stdin"),
        ("trigger a.b --countdown 1 --eta 2999-01-01", "not both"),
        ("trigger a.b --eta soon", "14:30"),
        ("trigger a.b --eta 1999-01-01", "in the past"),
        ("trigger a.b --expires 0", "--expires"),
        ("trigger a.b --countdown soon", "--countdown"),
        ("control", "celtop control --help"),
        ("control grow 1", "--worker NAME"),
        ("control grow 1 --all -w a", "--worker NAME"),
        ("control grow 0 --all", "N"),
        ("control shutdown --worker=", "--worker must not be empty"),
        ("control shutdown -d a,,b", "--worker must not be empty"),
        ("control ping --worker=", "--worker must not be empty"),
        ("control pool_shrink", "--worker NAME"),
        ("control autoscale 1 4 --all", "MAX"),
        ("control rate-limit a.b often --all", "10/m"),
        ("control time-limit a.b --all --soft 0", "greater than zero"),
        ("control time-limit a.b --all", "--soft"),
        ("control time-limit a.b --all --soft never", "--soft"),
        ("control shutdown", "--worker NAME"),
        ("control disable-events", "--worker NAME"),
        ("purge", "QUEUE"),
    ],
)
def test_invalid_command_lines(line: str, message: str) -> None:
    assert message in error_text(celtop("-b", NOWHERE, *line.split(), "--yes"), 2)


@pytest.mark.parametrize(
    "line",
    ["revoke 1", "retry 1", "trigger a.b --queue q", "control shutdown --all", "purge q",
     "control pause q", "control enable-events"],
)  # fmt: skip
def test_without_a_terminal_yes_is_required(line: str) -> None:
    assert "--yes" in error_text(celtop("-b", NOWHERE, *line.split()), 2)


def test_a_broker_that_cannot_be_reached() -> None:
    lines = ("revoke 1", "trigger a.b --queue q", "control ping", "purge q", "control drain --all")
    with ThreadPoolExecutor(len(lines)) as pool:
        ended = pool.map(lambda line: celtop("-b", NOWHERE, *line.split(), "-y"), lines)
    for one in ended:
        assert "Cannot use the broker" in error_text(one, 3)
