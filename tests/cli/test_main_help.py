"""The help of `celtop` itself: its commands, in sections."""

from __future__ import annotations

from pathlib import Path

from celtop.cli import commands
from celtop.cli.main import COMMANDS, SECTIONS, celtop
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
