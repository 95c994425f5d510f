"""A task's entry in the result backend."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .states import FAILURE, REVOKED, SUCCESS

READY_STATES: Final = frozenset({SUCCESS, FAILURE, REVOKED})
"""Final states in the result backend (`celery.states.READY_STATES`)."""


class ResultMeta(msgspec.Struct, frozen=True, gc=False):
    """One task's entry in the result backend, decoded without running any of the app's code.

    The fields are those of `Backend._get_result_meta` in `celery/backends/base.py`.
    """

    id: str
    status: str | None
    """The state as written, including custom ones; None if the entry cannot be decoded."""
    result: Any = None
    """The return value, or the meta passed to `update_state`: JSON values, and the dates, decimals,
    UUIDs and bytes that kombu's JSON supports. After a failure, the description of the exception:
    usually a mapping with `exc_type`, `exc_message` and `exc_module`."""
    undecoded: str | None = None
    """Why a result could not be decoded, such as `pickle`: pickles of more than plain values are
    never loaded."""
    exception: str | None = None
    """The exception's repr, such as `ValueError('no such file')`; None without one."""
    traceback: str | None = None
    done_at: float | None = None
    """When the task ended, epoch seconds; None if it has not ended."""
    started_at: float | None = None
    """When it started; `django-db` records it with `task_track_started`."""
    created_at: float | None = None
    """When the entry was added; only `django-db` records it."""
    name: str | None = None
    """The task's name; this and the fields below need `result_extended`, except for the group."""
    args: Any = None
    """The arguments: a list if exact, otherwise their repr as text; None if not stored."""
    kwargs: Any = None
    """The keyword arguments: a mapping if exact, otherwise as for `args`."""
    exact_arguments: bool = False
    """Whether `args` and `kwargs` are values just as they were sent. One thing escapes: a task
    that changes a list or a table that it was given changes what is stored."""
    worker: str | None = None
    retries: int | None = None
    queue: str | None = None
    """The routing key, which is the queue's name unless exchanges are used."""
    group_id: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    children: tuple[str, ...] = ()
    """Ids of the tasks that it sent."""
    stamps: dict[str, Any] = {}
    periodic_task_name: str | None = None
    """The periodic task of django-celery-beat that sent it; only `django-db` records it."""

    @property
    def ready(self) -> bool:
        """Whether the task has ended."""
        return self.status in READY_STATES
