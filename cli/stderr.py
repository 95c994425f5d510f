"""stderr: messages for a person while stdout carries data."""

from __future__ import annotations

import sys

from ..model.text.sanitize import visible


def echo(text: str) -> None:
    """Print each line of a message, prefixed with `celtop: `; control characters are escaped."""
    for line in text.splitlines() or [""]:
        print(f"celtop: {visible(line)}", file=sys.stderr, flush=True)
