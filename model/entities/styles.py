"""The style of each state, status and log level, the same on screens, in text and in pictures.

A style is a name with a meaning. `widgets/colours.py` maps it to Textual's colours, and
`export/encoding/colours.py` to those of pictures and pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from .states import FAILURE, PENDING, RECEIVED, REJECTED, RETRY, REVOKED, STARTED, SUCCESS

Level: TypeAlias = Literal["good", "warn", "bad", "idle"]

_STATE_STYLES: Final[Mapping[str, str]] = {
    SUCCESS: "state-success",
    FAILURE: "state-failure",
    STARTED: "state-started",
    RECEIVED: "state-received",
    RETRY: "state-retry",
    REVOKED: "state-revoked",
    REJECTED: "state-revoked",
    PENDING: "state-pending",
}

WORKER_LEVELS: Final[Mapping[str, Level]] = {
    "online": "good",
    "draining": "warn",
    "late": "warn",
    "stalled": "bad",
    "offline": "bad",
    "unknown": "idle",
}

BROKER_LEVELS: Final[Mapping[str, Level]] = {
    "live": "good",
    "connecting": "warn",
    "blocked": "bad",
    "lost": "bad",
}

LOG_STYLES: Final[Mapping[str, str]] = {"info": "muted", "warning": "warn", "error": "bad"}


def state_style(state: str) -> str:
    """Return the style of a task state; all custom states share one."""
    return _STATE_STYLES.get(state, "state-custom")
