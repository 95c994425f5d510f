"""`perform` with the functions of all operations, which register when they are imported.

`cluster.control` imports this with the first operation: starting up needs none of it.
"""

from __future__ import annotations

from . import (
    drain,
    pause,
    purge,
    purge_results,
    read_messages,
    remote,
    revoke,
    send,
    switch_entries,
)
from .running import perform

__all__ = [
    "drain",
    "pause",
    "perform",
    "purge",
    "purge_results",
    "read_messages",
    "remote",
    "revoke",
    "send",
    "switch_entries",
]
