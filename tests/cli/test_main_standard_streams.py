"""Streams that are closed or full, as under cron and in scripts."""

from __future__ import annotations

import subprocess
import sys

import pytest
from celtop.tests.servers import clean_environment


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ("config keys >/dev/full", 1, "celtop: Cannot write to stdout: No space left on device\n"),
        ("--help >/dev/full", 1, "celtop: Cannot write to stdout: No space left on device\n"),
        ("task --help >/dev/full", 1, "celtop: Cannot write to stdout: No space left on device\n"),
        ("--version >/dev/full", 1, "celtop: Cannot write to stdout: No space left on device\n"),
        ("config keys >&-", 1, "celtop: Cannot write to stdout: it is closed\n"),
        # A message must not end up on stdout.
        ("config keys extra 2>&-", 2, ""),
        ("config keys extra 2>/dev/full", 2, ""),
        ("config keys <&- >&- 2>&-", 1, ""),
    ],
)
def test_closed_and_full_streams(words: str, code: int, error: str) -> None:
    script = f'exec "{sys.executable}" -m celtop {words}'
    ended = subprocess.run(
        ("sh", "-c", script), capture_output=True, text=True, env=clean_environment(), check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", error)
