"""Converts values of unknown type to bounded texts, numbers and times."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Final

MAX_TEXT_LENGTH: Final = 256 * 1024
"""Characters kept of one text; a mark tells how many were left out."""


MAX_NAME_LENGTH: Final = 1024
"""Characters kept of a name; a longer id is malformed."""


MAX_FIELD_LENGTH: Final = 4096


MAX_TIMESTAMP: Final = 253_402_300_799.0
"""The end of the year 9999: no later time can be written."""


_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def truncate(text: str) -> str:
    """Return the text, cut at `LONGEST_TEXT` with a mark that says how much was left out."""
    left_out = len(text) - MAX_TEXT_LENGTH
    if left_out <= 0:
        return text
    return f"{text[:MAX_TEXT_LENGTH]}… [{left_out:,} more characters left out]"


def parse_timestamp(text: str | None) -> float | None:
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
    return seconds if 0 <= seconds <= MAX_TIMESTAMP else None


def to_text(value: object, limit: int = MAX_TEXT_LENGTH) -> str | None:
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
        value = _SURROGATES.sub("\ufffd", value)
    if limit >= MAX_TEXT_LENGTH:
        return truncate(value)
    return value if len(value) <= limit else value[:limit] + "…"


def to_int(value: object) -> int | None:
    """Return a number or its text as an int that fits 64 bits, or None."""
    amount = to_float(value)
    return int(amount) if amount is not None and abs(amount) < 2**63 else None


def to_float(value: object) -> float | None:
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
