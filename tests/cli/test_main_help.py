"""The help of `celtop` itself: its commands, in sections."""

from __future__ import annotations

from pathlib import Path

from celtop.cli import commands
from celtop.cli.main import CELERY_COMMANDS, COMMANDS, SECTIONS, celtop
from click.testing import CliRunner


def test_each_module_of_a_command_is_in_the_section_of_its_folder() -> None:
    folder = Path(commands.__file__).parent
    modules = {path.stem: path.parent.name for path in folder.glob("*/[!_]*.py")}
    assert modules == COMMANDS


def test_the_help_lists_each_command_below_the_title_of_its_section() -> None:
    lines = CliRunner().invoke(celtop, ["--help"]).output.splitlines()
    for section in SECTIONS:
        begin = lines.index(f"{section.title}:") + 1
        rows = lines[begin : lines.index("", begin)]
        assert [row.split()[0] for row in rows] == list(section.names)


def test_a_command_of_celery_names_the_similar_one() -> None:
    run = CliRunner().invoke(celtop, ["-b", "redis://localhost", "inspect", "active"])
    assert run.exit_code == 2
    assert "`celtop workers` is similar to `celery inspect`" in run.output
    assert not CELERY_COMMANDS.keys() & COMMANDS.keys()
    assert set(CELERY_COMMANDS.values()) <= COMMANDS.keys()
