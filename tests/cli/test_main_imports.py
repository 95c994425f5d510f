"""What each command imports: Textual only for the monitor, Celery only in threads and children.

In a subprocess, because import-linter reads the static graph: it cannot distinguish an import at
the top of a file from one inside a function.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from celtop.cli.main import COMMANDS
from celtop.tests.servers import clean_environment

HEAVY = ("celery", "kombu", "msgspec", "pydantic", "redis", "rich", "textual")
REPORT = f"""
import json, sys
from celtop.cli.main import run
try:
    code = run(sys.argv[1:])
finally:
    own = [f"celtop.cli.commands.{{folder}}.{{name}}" for name, folder in {COMMANDS!r}.items()]
    loaded = [name for name in [*{HEAVY!r}, *own] if name in sys.modules]
    print(json.dumps([code, loaded]), file=sys.stderr)
"""


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """Run a command; return its exit code and which heavy libraries and commands it loaded."""
    ended = subprocess.run(
        (sys.executable, "-c", REPORT, *arguments),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=clean_environment(),
        timeout=60,
        check=False,
    )
    code, names = json.loads(ended.stderr.splitlines()[-1])
    return code, {name.rpartition(".")[2] for name in names}


def test_the_version_imports_nothing() -> None:
    assert loaded_by("--version") == (0, set())


def test_the_help_imports_only_the_commands() -> None:
    assert loaded_by("--help") == (0, set(COMMANDS))


@pytest.mark.parametrize("arguments", [(name,) for name in COMMANDS] + [("control", "drain")])
def test_the_help_of_a_command_imports_no_other(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments, "--help") == (0, {arguments[0]})


def test_config_show_imports_only_pydantic_and_msgspec() -> None:
    assert loaded_by("config", "show") == (0, {"config", "msgspec", "pydantic"})


@pytest.mark.parametrize(
    ("command", "form"),
    [("snapshot", "json"), ("snapshot", "html"), ("tasks", "svg"), ("queues", "prometheus")],
)
def test_no_output_imports_textual(redis_url: str, command: str, form: str) -> None:
    code, names = loaded_by("-b", redis_url, command, "--wait", "0", "--format", form)
    assert code == 0
    assert "kombu" in names, "it has connected"
    assert "textual" not in names


def test_an_operation_does_not_import_textual(redis_url: str) -> None:
    code, names = loaded_by("-b", redis_url, "trigger", "a.b", "--queue", "q", "--dry-run")
    assert code == 0
    assert "kombu" in names, "it has connected"
    assert "textual" not in names


def test_without_a_terminal_neither_textual_nor_a_command_is_imported() -> None:
    code, names = loaded_by("-b", "redis://127.0.0.1:1")
    assert code == 2
    assert names == {"msgspec", "pydantic"}
