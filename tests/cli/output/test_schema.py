"""`--schema`: every command that prints JSON describes it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
import pytest
from celtop.cli.main import celtop, run


def leaves(command: click.Command, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield all commands that are no groups, with the words that call them."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name, one in command.commands.items():
        yield from leaves(one, *words, name)


def prints_json(command: click.Command) -> bool:
    return any(
        option.name == "as_json"
        or (isinstance(option.type, click.Choice) and {"json", "ndjson"} & {*option.type.choices})
        for option in command.params
    )


PRINTS_JSON = [" ".join(words) for words, one in leaves(celtop) if prints_json(one)]


@pytest.mark.parametrize("command", [one for one in PRINTS_JSON if one != "replay"])
def test_each_has_a_schema(command: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run([*command.split(), "--schema"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["$schema"].startswith("https://json-schema")


def test_most_commands_print_json() -> None:
    assert {"tasks", "snapshot", "check", "revoke", "results purge"} <= {*PRINTS_JSON}
