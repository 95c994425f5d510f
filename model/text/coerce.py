"""Converts values of unknown type to bounded texts, numbers and times."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Final

MAX_TEXT_LENGTH: Final = 256 * 1024
"""Characters kept of a text; a marker states how many were dropped."""
MAX_NAME_LENGTH: Final = 1024
"""Characters kept of a name; an event with a longer id is malformed."""
MAX_FIELD_LENGTH: Final = 4096
"""Characters kept of a custom event's field, or of a progress text."""
MAX_TIMESTAMP: Final = 253_402_300_799.0
"""Epoch seconds at the end of the year 9999, the last time that can be formatted."""

_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def truncate(text: str, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return the text, cut at `limit` characters with a marker that states how much was dropped."""
    left_out = len(text) - limit
    if left_out <= 0:
        return text
    return f"{text[:limit]}… [{left_out:,} more characters]"


def parse_timestamp(text: str | None) -> float | None:
    """Return the epoch seconds of an ISO 8601 time (UTC if it has no offset), or None."""
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
        value = without_surrogates(value)
    if limit >= MAX_TEXT_LENGTH:
        return truncate(value)
    return value if len(value) <= limit else value[:limit] + "…"


def without_surrogates(text: str) -> str:
    """Return a text with U+FFFD instead of lone surrogates.

    They cannot be encoded, and would break the terminal and every export. `?` could be mistaken
    for the original.
    """
    return _SURROGATES.sub("\ufffd", text)


def to_int(value: object) -> int | None:
    """Return a number, or a text that holds one, as a 64-bit int; None if it is neither."""
    amount = to_float(value)
    return int(amount) if amount is not None and abs(amount) < 2**63 else None


def to_float(value: object) -> float | None:
    """Return a number, or a text that holds one, as a finite float; None if it is neither."""
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
