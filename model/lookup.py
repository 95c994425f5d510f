"""The result of looking a task up in the workers, the queues and the result backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from .entities.result import ResultMeta
from .entities.task import Task
from .ingest.redaction import Redaction
from .observations import Observation, ResultsRead
from .state import ClusterState

LookupPlace: TypeAlias = Literal["workers", "queues", "backend", "history"]

HELD_BY_WORKER: Final = "message held by a worker"
"""A source that has the whole message, but not its state in the worker."""

UUID_CHARACTERS: Final = 36
"""Characters of the ids that Celery gives to tasks."""


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """The task in one source."""

    source: str
    """`worker NAME`, `message in queue NAME`, `HELD_BY_WORKER`, `result backend` or `history`."""
    observation: Observation


class PlaceChecked(msgspec.Struct, frozen=True, gc=False):
    """One place that was searched."""

    place: LookupPlace
    found: bool | None
    """Whether the task was there; None if the place could not be searched."""
    text: str
    """The extent of the search, or why it failed."""


class TaskLookup(msgspec.Struct, frozen=True, gc=False):
    """A task and where it was found."""

    id: str
    at: float
    """When it was looked up, by the local clock."""
    found: tuple[Sighting, ...]
    places: tuple[PlaceChecked, ...]

    @property
    def not_found(self) -> bool:
        """Whether it was found in no place."""
        return not self.found


def whole_id_note(id_: str) -> str:
    """Return a note on where the start of an id is searched for; empty for a whole id."""
    if len(id_) >= UUID_CHARACTERS:
        return ""
    return "only the history is searched for the start of an id, all other places for a whole one"


def task_from(found: Sighting, id_: str, redaction: Redaction) -> Task | None:
    """Return the task as known from one source alone; None if the source has nothing."""
    state = ClusterState(redaction=redaction)
    state.observe(found.observation)
    return state.tasks.get(id_)


def tasks_from(metas: Sequence[ResultMeta], at: float, redaction: Redaction) -> dict[str, Task]:
    """Return the tasks as known from their entries in the result backend alone, by id.

    Args:
        metas: The entries, at most `MAX_TASKS`.
        at: When they were read, in epoch seconds.
        redaction: Masks arguments, results and errors.
    """
    state = ClusterState(redaction=redaction)
    state.observe(ResultsRead(tuple(metas), at, "lookup"))
    return state.tasks
