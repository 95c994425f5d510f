"""`celtop config`: each value with its source, without passwords."""

from __future__ import annotations

from pathlib import Path

from celtop.settings import Settings
from celtop.tests.cli.conftest import celtop, error_text
from celtop.tests.servers import APPS


def test_show_lists_every_setting_masked(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[broker_transport_options]\nsentinel_kwargs = {password = "hunter2"}\n')
    environ = {"CELERY_BROKER_URL": "redis://:hunter2@h/0"}
    for form in ("text", "json"):
        ended = celtop("config", "show", "--config", str(file), "--format", form, env=environ)
        assert ended.returncode == 0
        assert "hunter2" not in ended.stdout + ended.stderr
        assert "environment CELERY_BROKER_URL" in ended.stdout
        assert f"config file {file}" in ended.stdout
        assert all(field in ended.stdout for field in Settings.model_fields)


def test_show_needs_no_broker() -> None:
    assert celtop("config", "show").returncode == 0


def test_the_configuration_of_the_app_is_a_source() -> None:
    environ = {"TEST_BROKER_URL": "redis://:hunter2@app.example/3"}
    ended = celtop("config", "show", "-A", "plain", "--workdir", str(APPS), env=environ)
    assert ended.returncode == 0, ended.stderr
    [line] = [line for line in ended.stdout.splitlines() if line.startswith("broker_url")]
    assert line.split(maxsplit=2) == ["broker_url", "redis://***@app.example/3", "app plain"]


def test_an_app_that_cannot_be_loaded() -> None:
    text = error_text(celtop("config", "show", "-A", "no_such_app_anywhere"), 2)
    assert "no_such_app_anywhere" in text


def test_paths() -> None:
    assert celtop("config", "paths").stdout.split() == [
        *("config", "/nonexistent/celtop/config.toml"),
        *("views", "/nonexistent/celtop/views.toml"),
        *("columns", "/nonexistent/celtop/columns.toml"),
        *("themes", "/nonexistent/celtop/themes"),
    ]
    assert celtop("config", "paths", "--config", "x.toml").stdout.split()[1] == "x.toml"


def test_a_group_without_a_command() -> None:
    assert "celtop config --help" in error_text(celtop("config"), 2)
