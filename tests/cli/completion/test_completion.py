"""What the shells complete, from the names of a cluster."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import click
import pytest
from celtop.cli.commands.setup.completion import completion as command
from celtop.cli.completion import completion, known_names
from celtop.cli.completion.known_names import KnownNames
from celtop.cli.completion.shells import CeltopBashComplete
from celtop.cli.main import Commands
from celtop.cli.main import celtop as root
from celtop.tests.cli.conftest import CELTOP, celtop
from celtop.tests.servers import clean_environment

NAMES = KnownNames(
    ["a1-b2", "a1-c3", "ff-00"],
    ["billing.charge", "mail.send", "\x1b[31mred"],
    ["geo@host", "web@host"],
    ["celery", "mail"],
    ["billing", "shop"],
)


@pytest.fixture
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_names, "known_names", lambda ctx: NAMES)
    monkeypatch.setenv("_CELTOP_COMPLETE", "bash_complete")
    completion.add_completion(root)


def completed(monkeypatch: pytest.MonkeyPatch, line: str, current: str = "") -> list[str]:
    """Return what bash would offer at the end of a line."""
    monkeypatch.setenv("COMP_LINE", f"celtop {line}")
    monkeypatch.setenv("COMP_CUR", current)
    shell = CeltopBashComplete(root, {}, "celtop", "_CELTOP_COMPLETE")
    return [item.value for item in shell.get_completions(*shell.get_completion_args())]


@pytest.mark.usefixtures("_names")
@pytest.mark.parametrize(
    ("line", "current", "offered"),
    [
        ("rep", "rep", ["replay", "report"]),
        ("task a1", "a1", ["a1-b2", "a1-c3"]),
        ("revoke a1-b2 f", "f", ["ff-00"]),
        ("why ", "", ["a1-b2", "a1-c3", "ff-00", "celery", "mail"]),
        ("purge m", "m", ["mail"]),
        ("-Q celery,m", "celery,m", ["celery,mail"]),
        ("check --max-waiting c", "c", ["celery="]),
        ("trigger ", "", ["billing.charge", "mail.send"]),
        ("control rate-limit b", "b", ["billing.charge"]),
        ("control ping -w web@h", "@h", ["@host"]),
        ("control ping --worker=geo@", "@", ["@host"]),
        ("workers ge", "ge", ["geo@host"]),
        ("tasks state:fail", "fail", ["failed", "failure"]),
        ("tasks state:failure nam", "nam", ["name:"]),
        ("tasks name:mail.", "mail.", ["mail.send"]),
        ("tasks --filter 'state:retry wor", "state:retry wor", ["state:retry worker:"]),
        ("tasks runtime:", "", []),
        ("tasks 'runtime:>1", "runtime:>1", ["runtime:>10s", "runtime:>1m", "runtime:>1h"]),
        ("--cluster b", "b", ["billing"]),
        ("check --ignore worker-l", "worker-l", ["worker-lost", "worker-late"]),
        ("revoke --terminate --signal SIGT", "SIGT", ["SIGTERM"]),
        ("snapshot --format m", "m", ["markdown"]),
    ],
)
def test_values(
    monkeypatch: pytest.MonkeyPatch, line: str, current: str, offered: Iterable[str]
) -> None:
    assert completed(monkeypatch, line, current) == offered


@pytest.mark.usefixtures("_names")
@pytest.mark.parametrize(
    ("line", "offered"),
    [("trigger ", []), ('trigger "', ["it's"]), ("trigger '", ["$(date)", "`date`", 'a"b', "a!b"])],
)
def test_bash_runs_nothing_of_a_name(
    monkeypatch: pytest.MonkeyPatch, line: str, offered: Iterable[str]
) -> None:
    names = KnownNames(types=["$(date)", "`date`", 'a"b', "a!b", "it's", "a\nb"])
    monkeypatch.setattr(known_names, "known_names", lambda ctx: names)
    assert completed(monkeypatch, line) == offered


@pytest.mark.usefixtures("_names")
def test_files_are_left_to_the_shell() -> None:
    param = next(one for one in root.params if one.name == "config_file")
    [item] = param.shell_complete(click.Context(root), "/etc/h")
    assert (item.type, item.value) == ("file", "/etc/h")


def test_nothing_changes_without_a_shell() -> None:
    assert Commands()["completion"] is command


def test_in_bash_itself(tmp_path: Path) -> None:
    script = tmp_path / "celtop.bash"
    script.write_text(celtop("completion", "bash").stdout)
    program = tmp_path / "celtop"
    program.write_text(f'#!/bin/sh\nexec {CELTOP[0]} -m celtop "$@"\n')
    program.chmod(0o755)
    test = """
        source "$1"
        COMP_LINE='celtop snapshot --form' COMP_POINT=${#COMP_LINE}
        COMP_POINT=${#COMP_LINE}
        _celtop_completion celtop --form snapshot
        printf '%s\\n' "${COMPREPLY[@]}"
        complete -p celtop
    """
    ended = subprocess.run(
        ("bash", "--norc", "-c", test, "bash", str(script)),
        capture_output=True,
        text=True,
        env={**clean_environment(), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        timeout=60,
        check=True,
    )
    assert ended.stdout.splitlines() == [
        "--format",
        "complete -o nosort -F _celtop_completion celtop",
    ]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_scripts_of_other_shells(shell: str) -> None:
    ended = celtop("completion", shell)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"_CELTOP_COMPLETE={shell}_complete" in ended.stdout
