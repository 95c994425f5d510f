"""The manual page is that of the present help, and roff reads it without a warning."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from celtop.cli.main import COMMANDS
from celtop.cli.man_page import _escaped, _paragraphs, man_page

PAGE = Path(__file__).parents[2] / "docs" / "celtop.1"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == man_page(), "run: make keys"


def test_it_has_every_command_and_its_options() -> None:
    page = man_page()
    for name in COMMANDS:
        assert f"celtop {name}" in page
    assert "\\-\\-max\\-bytes SIZE" in page
    assert page.count("\\-\\-broker URL") == 1, "global options are listed once"


def test_texts_are_printed_as_they_are() -> None:
    assert _escaped('.SH it\'s a "test" \\n -x') == "\\&.SH it\\(aqs a \\(dqtest\\(dq \\en \\-x"
    text = "One\ntwo.\n\n\b\nkept\n  as it is\n"
    assert list(_paragraphs(text)) == [
        *(".PP", "One two.", ".PP", ".nf", "kept", "  as it is", ".fi"),
    ]


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_finds_no_fault() -> None:
    ended = subprocess.run(
        ("mandoc", "-T", "lint", "-W", "warning", str(PAGE)),
        capture_output=True,
        text=True,
        check=False,
    )
    # A date would change with each release, and so would the file.
    assert [line for line in ended.stdout.splitlines() if "missing date" not in line] == []


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_gives_no_warning() -> None:
    ended = subprocess.run(
        ("groff", "-man", "-ww", "-z", str(PAGE)), capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
