"""stderr: what a person reads while stdout carries data. Nothing else writes to it."""

from __future__ import annotations

import sys

from ..model.text.sanitize import visible


def say(text: str) -> None:
    """Print a line for the person at the terminal; text from afar is made harmless."""
    for line in text.splitlines() or [""]:
        print(f"celtop: {visible(line)}", file=sys.stderr, flush=True)
