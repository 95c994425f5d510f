from __future__ import annotations

from pathlib import Path

import pytest
from celtop.config_file import read

TEXT = '''\
# A comment, and a text with brackets
theme = "[keys]"
queues = [
    "a",
    "b",
]

[keys]
"task.revoke" = "ctrl+x"
move.down = ["j",
             "down"]
[keys.task]  # a nested table
retry = """
=
"""
[broker_transport_options]
sentinel_kwargs = { password = "x" }
'''


def test_each_key_has_the_line_where_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(TEXT)
    values, lines = read(file)
    assert values["keys"]["task"] == {"retry": "=\n"}
    assert lines == {
        "theme": 2,
        "queues": 3,
        "keys": 8,
        "keys.task.revoke": 9,
        "keys.move": 10,
        "keys.move.down": 10,
        "keys.task": 12,
        "keys.task.retry": 13,
        "broker_transport_options": 16,
        "broker_transport_options.sentinel_kwargs": 17,
        "broker_transport_options.sentinel_kwargs.password": 17,
    }


def test_what_is_not_toml(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("broker_url: redis://h")
    with pytest.raises(ValueError, match="line 1"):
        read(file)


def test_a_device_and_deep_nesting_are_errors(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="more than"):
        read(Path("/dev/zero"))
    file = tmp_path / "config.toml"
    file.write_text("queues = " + "[" * 5_000 + "]" * 5_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        read(file)
