"""What was found of one task where it was looked for, each place for itself."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from .entities.task import Task
from .ingest.redaction import Redaction
from .observations import Observation

LookupPlace: TypeAlias = Literal["workers", "queues", "backend"]

HELD_BY_WORKER: Final = "message held by a worker"
"""A source that tells all that the message has, but not what its worker does with it."""


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """What one source tells of the task."""

    source: str
    """`worker NAME`, `message in queue NAME`, `HELD`, or `result backend`."""
    observation: Observation


class PlaceChecked(msgspec.Struct, frozen=True, gc=False):
    """One place where it was looked for."""

    place: LookupPlace
    found: bool | None
    """Whether it was there; None if that could not be looked at."""
    text: str
    """What was looked at, or why it could not be."""


class TaskLookup(msgspec.Struct, frozen=True, gc=False):
    """A task that was looked for everywhere."""

    id: str
    at: float
    """When, by our clock."""
    found: tuple[Sighting, ...]
    looked: tuple[PlaceChecked, ...]

    @property
    def nowhere(self) -> bool:
        """Whether no place knows it."""
        return not self.found


def task_from(found: Sighting, id_: str, redaction: Redaction) -> Task | None:
    """Return the task as one source alone tells of it; None if that tells nothing.

    Args:
        found: What the source said.
        id_: The task's.
        redaction: Masks what must not be seen.
    """
    from .state import ClusterState

    state = ClusterState(redaction=redaction)
    state.observe(found.observation, found.observation.at)  # type: ignore[union-attr]
    return state.tasks.get(id_)
