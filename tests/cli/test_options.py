"""The global options: accepted before and after the command, listed by `celtop --help`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from celtop.cli.main import celtop as group
from celtop.cli.main import top
from celtop.cli.options import CONFIG, GLOBAL_OPTIONS, SEE_GLOBAL_OPTIONS, GlobalOption
from celtop.settings import Settings, flag_name
from celtop.tests.cli.conftest import celtop, error_text


def commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of every command, groups included."""
    below = command.commands.items() if isinstance(command, click.Group) else ()
    return [path, *(found for name, one in below for found in commands(one, (*path, name)))]


def shown(*arguments: str, **environ: str) -> dict[str, dict[str, Any]]:
    """Return the output of `celtop config show`, by setting."""
    ended = celtop(*arguments, "--format", "json", env=environ)
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert document["schema"] == "celtop.config/1"
    return {row["name"]: row for row in document["settings"]}


@pytest.mark.parametrize("path", commands(group), ids=" ".join)
def test_only_the_root_help_lists_the_global_options(path: tuple[str, ...]) -> None:
    ended = celtop(*path, "--help")
    assert ended.returncode == 0
    assert ended.stderr == ""
    if path:
        assert "--result-backend" not in ended.stdout
        assert ended.stdout.endswith(f"{SEE_GLOBAL_OPTIONS}\n")
    else:
        names = [name for option in GLOBAL_OPTIONS for name in option.opts]
        assert all(name in ended.stdout for name in names)


def test_the_help_lists_commands_sources_and_exit_codes() -> None:
    text = celtop("--help").stdout
    for name in group.commands:
        assert f"\n  {name} " in text
    assert "CELTOP_*" in text
    assert "130 interrupted" in text


def test_each_option_sets_a_field_under_its_flag_name() -> None:
    for option in GLOBAL_OPTIONS:
        assert isinstance(option, GlobalOption)
        if option.name != CONFIG:
            assert option.name in Settings.model_fields
            same = [one for one in GLOBAL_OPTIONS if one.name == option.name]
            flags = [flag for one in same for flag in (*one.opts, *one.secondary_opts)]
            assert flag_name(option.name) in flags


def test_options_are_accepted_before_and_after_each_word() -> None:
    words = ("config", "show")
    for place in range(len(words) + 1):
        found = shown(*words[:place], "-b", "redis://h/1", *words[place:])
        assert found["broker_url"] == {
            "name": "broker_url",
            "value": "redis://h/1",
            "source": "flag -b",
        }


def test_the_last_value_wins() -> None:
    found = shown("--mouse", "-b", "redis://a", "config", "--no-mouse", "show", "-b", "redis://b")
    assert found["broker_url"]["value"] == "redis://b"
    assert found["mouse"]["value"] is False


def test_a_switch_that_is_not_given_does_not_override_the_environment() -> None:
    found = shown("config", "show", CELTOP_READ_ONLY="yes", CELTOP_MOUSE="no")
    assert found["read_only"] | {"name": ""} == {
        "name": "",
        "value": True,
        "source": "environment CELTOP_READ_ONLY",
    }
    assert found["mouse"]["value"] is False
    assert found["frugal"]["source"] == "default"


def test_an_invalid_value_is_reported_with_its_flag() -> None:
    text = error_text(celtop("snapshot", "-b", "redis://h", "--max-tasks", "many"), 2)
    assert "Invalid value 'many' for max_tasks (flag --max-tasks)" in text


def test_celery_top_has_them_too() -> None:
    names = {option.name for option in top.params}
    assert {option.name for option in GLOBAL_OPTIONS} <= names


def test_a_cluster_that_the_config_file_does_not_have(tmp_path: Path) -> None:
    file = tmp_path / "celtop.toml"
    file.write_text('broker_url = "redis://h/0"\n[clusters.prod]\nbroker_url = "redis://p/0"\n')
    ended = celtop("snapshot", "--config", str(file), "--cluster", "prd")
    assert error_text(ended, 2).startswith(
        "celtop: No cluster 'prd' in the config file. It has: prod."
    )
    named = celtop("snapshot", "--config", str(file), "--cluster", "prd", "-b", "redis://h:1/0")
    assert named.returncode == 3
