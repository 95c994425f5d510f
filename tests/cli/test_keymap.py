"""`[keys]` in the config file: used by the monitor, listed by `celtop config`, refused by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from celtop.tests.cli.conftest import celtop, error_text

KEYS = """\
theme = "celtop-light"

[keys]
"task.revoke" = "ctrl+x"
move.down = ["j", "ctrl+n"]
"freeze" = ""
"""


def test_config_show_lists_the_remapped_keys_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(KEYS)
    shown = celtop("config", "show", "--config", str(file)).stdout
    rows = [line.split(maxsplit=1) for line in shown.splitlines() if line.startswith("keys")]
    assert [name for name, _ in rows] == ["keys.freeze", "keys.move.down", "keys.task.revoke"]
    assert rows[1][1].split("  ")[0] == "j, ctrl+n"
    assert rows[1][1].endswith(f"config file {file}, line 5")
    environ = {"CELTOP_CONFIG": str(file)}
    document = json.loads(celtop("config", "show", "--format", "json", env=environ).stdout)
    [freeze] = [row for row in document["settings"] if row["name"] == "keys.freeze"]
    assert freeze == {"name": "keys.freeze", "value": [], "source": f"config file {file}, line 6"}


def test_config_keys_lists_every_id_with_the_present_keys(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(KEYS)
    rows = celtop("config", "keys", "--config", str(file)).stdout.splitlines()
    found = {row.split()[0]: row.split()[1] for row in rows}
    assert found["task.revoke"] == "ctrl+x"
    assert found["freeze"] == "-"
    assert found["task.terminate"] == "K"


def test_config_keys_lists_the_default_keys_with_an_invalid_config_file(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[keys]\nzzz = "x"\n')
    ended = celtop("config", "keys", "--config", str(file))
    assert ended.returncode == 2
    assert "line 2: unknown action 'zzz'; `celtop config keys` lists all" in ended.stderr
    assert "task.revoke" in ended.stdout


@pytest.mark.parametrize("command", [(), ("config", "show"), ("snapshot",)], ids=" ".join)
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"task.revok" = "x"', "unknown action 'task.revok'; did you mean 'task.revoke'?"),
        ('"task.revoke" = "ctlr+x"', "task.revoke: unknown key 'ctlr+x'"),
        ('"task.revoke" = "j"', "task.revoke: 'j' is also a key of move.down"),
    ],
    ids=["action", "key", "conflict"],
)
def test_what_is_wrong_is_named_with_file_and_line(
    tmp_path: Path, command: tuple[str, ...], line: str, message: str
) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f"[keys]\n\n{line}\n")
    text = error_text(celtop(*command, "-b", "redis://h", "--config", str(file)), 2)
    assert f"config file {file}, line 3: {message}" in text


def test_a_missing_keymap_is_named_with_its_source() -> None:
    text = error_text(celtop("config", "show", env={"CELTOP_KEYMAP": "vim"}), 2)
    assert "keymap 'vim' (environment CELTOP_KEYMAP): no installed package provides it" in text


def test_keys_from_the_environment() -> None:
    keys = '{"task.revoke": "ctrl+x", "task.retry": "j"}'
    text = error_text(celtop("config", "show", env={"CELTOP_KEYS": keys}), 2)
    assert "environment CELTOP_KEYS: task.retry: 'j' is also a key of move.down" in text
