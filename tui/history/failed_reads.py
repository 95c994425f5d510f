"""Whether a read of the history failed."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TypeVar

R = TypeVar("R")


def failed(read: Future[R] | asyncio.Future[R]) -> bool:
    """Return whether a read that is done failed; a history that does not exist yet has no rows."""
    from ...history.store import NoHistoryError

    if read.cancelled():
        return False
    error = read.exception()
    return error is not None and not isinstance(error, NoHistoryError)
