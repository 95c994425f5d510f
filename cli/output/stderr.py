"""stderr: messages for a person while stdout carries data."""

from __future__ import annotations

import contextlib
import sys
from typing import Final

from ...model.text.sanitize import visible

MAX_LINE: Final = 2_000
"""Characters of a line with names from the cluster."""


def echo_line(text: str) -> None:
    """Print a message as one line, even if names in it contain line ends."""
    echo(visible(text, MAX_LINE))


def echo(text: str) -> None:
    """Print each line of a message, prefixed with `celtop: `; control characters are escaped."""
    # Without a place for the message, the exit code still has to be the right one.
    with contextlib.suppress(OSError):
        for line in text.splitlines() or [""]:
            print(f"celtop: {visible(line)}", file=sys.stderr, flush=True)
