"""What workers answer to commands, in words a person understands."""

from __future__ import annotations

import re
from typing import Final

from ...model.operations.outcome import Answer
from ...model.text.passwords import mask_url
from ..connection.remote_control import Reply

LONGEST: Final = 300
"""Characters of a worker's own words that are kept: it may answer with thousands of ids."""

CANNOT_TERMINATE: Final = (
    "its pool cannot end a task: it runs on, but its id is flagged, so that it will not start again"
)
_COMPLAINTS: Final = (
    (r"no attribute '(grow|shrink)'", "its pool has a fixed size (threads and solo do)"),
    (
        r"not supported with autoscale",
        "it is autoscaled: set the limits of its autoscaling instead",
    ),
    (r"Autoscale not enabled", "it was not started with --autoscale"),
    (
        r"Pool restarts not enabled",
        "it may not restart its pool: that needs worker_pool_restarts = True in its configuration",
    ),
    (r"unknown task", "it has no task of this name"),
    (r"Invalid rate limit string", "it does not take this for a rate: 10/m is one"),
    (r"Can't shrink pool", "it has no idle process to take away: all are busy"),
    (r"event dispatcher unavailable", "it sends no events at all"),
    (r"NotImplementedError", CANNOT_TERMINATE),
    (r"^KeyError\(", "it does not know this command: its Celery is too old"),
)
_PROMISES: Final = {
    "reload started": "each of its processes is replaced when it has done one more task",
    "pool will grow": "its new processes start within 5 s",
    # `create_request_cls` keeps the limits that it found when the strategies were built.
    "time limits set successfully": (
        "noted; Celery goes by it once the pool was restarted, or the worker has connected anew"
    ),
    "pool will shrink": "its processes go as they fall idle",
}
"""Answers that tell of what is yet to come."""


def judged(reply: Reply) -> Answer:
    """Return what an answer comes to."""
    if reply.error is not None:
        return Answer("refused", explained(reply.error))
    value = reply.value
    text = str(value["ok"]) if isinstance(value, dict) and "ok" in value else ""
    return Answer("confirmed", _PROMISES.get(text, mask_url(text))[:LONGEST])


def explained(error: str) -> str:
    """Return a worker's complaint in words, or as it is if nobody knows what it means."""
    for pattern, words in _COMPLAINTS:
        if re.search(pattern, error):
            return words
    return mask_url(error)[:LONGEST]
