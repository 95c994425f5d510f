"""Where the user is and was: places, and the history that `[` and `]` walk."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

HISTORY: Final = 100

Kind: TypeAlias = Literal["task", "worker", "tasks", "workflow", "failures"]


@dataclass(frozen=True, slots=True)
class DrillDown:
    """One step into the depth: a task, a worker, grouped failures, or the tasks behind a number."""

    kind: Kind
    subject: str
    """The task's id, of a workflow any member's; the worker's name, or the filter that the list is
    limited to; of failures the id of a task whose group is to be looked at, or nothing."""
    title: str = ""
    """What the breadcrumb says; the subject where it is empty."""


def workflow_of(task_id: str) -> DrillDown:
    """Return the step to the workflow of a task."""
    return DrillDown("workflow", task_id, f"workflow {task_id[:8]}")


@dataclass(frozen=True, slots=True)
class Location:
    """A numbered view and the way that was taken into its depth."""

    view: str
    path: tuple[DrillDown, ...] = ()

    def deeper(self, drill: DrillDown) -> Location:
        """Return the place one step further in."""
        return replace(self, path=(*self.path, drill))

    def out(self) -> Location:
        """Return the place one step further out; the view itself at the root."""
        return replace(self, path=self.path[:-1])


@dataclass(slots=True)
class History:
    """The places that were visited, like a browser's."""

    places: list[Location] = field(default_factory=list)
    index: int = -1

    def visit(self, location: Location) -> None:
        """Remember a new place; what lay ahead is forgotten."""
        if self.places and self.places[self.index] == location:
            return
        del self.places[self.index + 1 :]
        self.places.append(location)
        del self.places[:-HISTORY]
        self.index = len(self.places) - 1

    def step(self, steps: int) -> Location | None:
        """Move back (-1) or forward (1); None at either end."""
        index = self.index + steps
        if not 0 <= index < len(self.places):
            return None
        self.index = index
        return self.places[index]
