"""What a result backend keeps of a task: its state, and its result or how far it has come."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .states import FAILURE, REVOKED, SUCCESS

READY_STATES: Final = frozenset({SUCCESS, FAILURE, REVOKED})
"""After one of these nothing more is written (`celery.states.READY_STATES`)."""


class ResultMeta(msgspec.Struct, frozen=True, gc=False):
    """One task's entry in the result backend, decoded without running any code of the app's.

    The fields are those of `Backend._get_result_meta` in `celery/backends/base.py`.
    """

    id: str
    status: str | None
    """The state as the worker wrote it, custom ones too; None if the entry cannot be read."""
    result: Any = None
    """What the task returned, or the meta that it gave to `update_state`: JSON values, and the
    dates, decimals, UUIDs and bytes that kombu's JSON carries. Of a failure, what describes the
    exception: mostly a table of `exc_type`, `exc_message`, `exc_module`."""
    undecoded: str | None = None
    """Why `result` is None though there is one: `pickle`, for one of more than plain values: none
    is ever loaded. Or other words."""
    exception: str | None = None
    """The exception as Python writes it, `ValueError('no such file')`; None without one."""
    traceback: str | None = None
    done_at: float | None = None
    """When the task ended, epoch seconds; None before, whatever the backend has there."""
    name: str | None = None
    """The task's name; this and all up to `stamps` need `result_extended`, but for the group."""
    args: Any = None
    """The arguments: a list if they are exact, their repr as text if not, None if not kept."""
    kwargs: Any = None
    """The keyword arguments: a table if they are exact, else as `args`."""
    exact_arguments: bool = False
    """Whether `args` and `kwargs` are values just as they were sent. One thing escapes: a task
    that changes a list or a table that it was given changes what is stored."""
    worker: str | None = None
    retries: int | None = None
    queue: str | None = None
    """The routing key that it came by, which is the queue's name unless exchanges are in play."""
    group_id: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    children: tuple[str, ...] = ()
    """The tasks that it started."""
    stamps: dict[str, Any] = {}

    @property
    def ready(self) -> bool:
        """Whether the task has ended."""
        return self.status in READY_STATES
