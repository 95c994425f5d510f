"""Filters on the command line: one with a term that is not understood would match more tasks."""

from __future__ import annotations

import pytest
from celtop.cli.exit_codes import InvalidUsage
from celtop.cli.targets.selection import read_filter
from celtop.settings import Settings


@pytest.mark.parametrize("text", ["name:geo.*", "name:a state:received", '"two words"', "id:*"])
def test_valid_filters(text: str) -> None:
    assert read_filter(text, Settings()).text == text


@pytest.mark.parametrize(
    "text",
    ["", "  ", "name:", "name:a state:", "name:a nope:b", "runtime:>soon", "name:~[", "!"],
)
def test_invalid_filters(text: str) -> None:
    with pytest.raises(InvalidUsage, match="--filter"):
        read_filter(text, Settings())
