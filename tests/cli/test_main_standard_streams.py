"""Streams that are closed or full, as under cron and in scripts."""

from __future__ import annotations

import subprocess
import sys

import pytest
from celtop.tests.servers import clean_environment


@pytest.mark.parametrize(
    ("redirection", "error"),
    [
        (">/dev/full", "celtop: Cannot write to stdout: No space left on device\n"),
        (">&-", "celtop: Cannot write to stdout: it is closed\n"),
        # A message must not end up on stdout.
        ("extra 2>&-", ""),
        ("<&- >&- 2>&-", ""),
    ],
)
def test_closed_and_full_streams(redirection: str, error: str) -> None:
    script = f'exec "{sys.executable}" -m celtop config keys {redirection}'
    ended = subprocess.run(
        ("sh", "-c", script), capture_output=True, text=True, env=clean_environment(), check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", error)
