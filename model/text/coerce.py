"""Converts values of unknown type to bounded texts, numbers and times."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Final

LONGEST_TEXT: Final = 256 * 1024
"""Characters kept of one text; a mark tells how many were left out."""


LONGEST_NAME: Final = 1024
"""Characters kept of a name; a longer id is malformed."""


LONGEST_FIELD: Final = 4096


LATEST_TIME: Final = 253_402_300_799.0
"""The end of the year 9999: no later time can be written."""


_HALF_CHARACTERS: Final = re.compile("[\ud800-\udfff]")


def cut_text(text: str) -> str:
    """Return the text, cut at `LONGEST_TEXT` with a mark that says how much was left out."""
    left_out = len(text) - LONGEST_TEXT
    if left_out <= 0:
        return text
    return f"{text[:LONGEST_TEXT]}… [{left_out:,} more characters left out]"


def epoch(text: str | None) -> float | None:
    """Return the epoch seconds of an ISO 8601 time (UTC where it names no zone), or None."""
    if not text or len(text) > 64:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= LATEST_TIME else None


def plain_text(value: object, limit: int = LONGEST_TEXT) -> str | None:
    """Return any JSON value as text of at most about `limit` characters; None stays None."""
    if value is None:
        return None
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False, default=str)
        except (ValueError, TypeError, RecursionError):
            return "?"
    if not value.isascii():
        # A lone surrogate cannot be encoded again: it would break the terminal and each export.
        # What stands for it is nothing that anybody sends: `?` could pass for what was sent.
        value = _HALF_CHARACTERS.sub("\ufffd", value)
    if limit >= LONGEST_TEXT:
        return cut_text(value)
    return value if len(value) <= limit else value[:limit] + "…"


def whole(value: object) -> int | None:
    """Return a number or its text as an int that fits 64 bits, or None."""
    amount = number(value)
    return int(amount) if amount is not None and abs(amount) < 2**63 else None


def number(value: object) -> float | None:
    """Return a number or its text as a finite float, or None."""
    if isinstance(value, str):
        if len(value) > 32:
            return None
    elif not isinstance(value, int | float):
        return None
    try:
        amount = float(value)
    except (ValueError, OverflowError):
        return None
    return amount if math.isfinite(amount) else None
