"""Turns workers' replies to commands into verdicts with plain texts."""

from __future__ import annotations

import re
from typing import Final

from ...model.operations.outcome import Answer
from ...model.text.passwords import mask_text
from ..connection.replies import Reply

MAX_REPLY_LENGTH: Final = 300
"""Characters of a worker's own text that are kept: it may reply with thousands of ids."""
MAX_REPORT_LENGTH: Final = 50_000
"""The same for read-only operations, whose result is the reply."""

CANNOT_TERMINATE: Final = (
    "its pool cannot terminate the task, which keeps running but will not be started again"
)
_ERRORS: Final = (
    (r"no attribute '(grow|shrink)'", "its pool has a fixed size, like all threads and solo pools"),
    (r"not supported with autoscale", "autoscale is on; set its limits instead"),
    (r"Autoscale not enabled", "it was started without --autoscale"),
    (
        r"Pool restarts not enabled",
        "worker_pool_restarts is off; set it to True in the configuration",
    ),
    (r"unknown task", "the task is not registered"),
    (r"Invalid rate limit string", "invalid rate limit; use for example 10/m"),
    (r"Can't shrink pool", "no idle process can be removed: all are busy"),
    (r"event dispatcher unavailable", "it sends no events at all"),
    (r"NotImplementedError", CANNOT_TERMINATE),
    (r"^KeyError\(", "unknown command: its Celery is too old"),
)
_PENDING_EFFECTS: Final = {
    "reload started": "each process is replaced after its next task",
    "pool will grow": "the new processes start within 5 s",
    # `create_request_cls` keeps the limits that it found when the strategies were built.
    "time limits set successfully": (
        "accepted; takes effect when the pool restarts or the worker reconnects"
    ),
    "pool will shrink": "processes exit as they become idle",
}
"""Replies to commands that take effect later."""


def to_answer(reply: Reply, max_length: int = MAX_REPLY_LENGTH) -> Answer:
    """Return the verdict of a reply, with its text cut to `max_length` characters."""
    if reply.error is not None:
        return Answer("refused", explain_error(reply.error))
    value = reply.value
    value = value["ok"] if isinstance(value, dict) and "ok" in value else value
    text = "" if isinstance(value, dict | list) or value is None else str(value)
    return Answer("confirmed", _PENDING_EFFECTS.get(text, mask_text(text))[:max_length])


def explain_error(error: str) -> str:
    """Return a worker's error in plain words, or as it is if unknown."""
    for pattern, words in _ERRORS:
        if re.search(pattern, error):
            return words
    return mask_text(error)[:MAX_REPLY_LENGTH]
