"""`perform` with the functions of all operations, which register when they are imported.

`cluster.control` imports this with the first operation: starting up needs none of it.
"""

from __future__ import annotations

from . import purge_results, switch_entries
from .queues import pause, purge, read_messages
from .running import perform
from .tasks import revoke, send
from .workers import drain, remote

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
