"""Locations, and the history that `[` and `]` walk."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from ..model.text.phrases import short_id

MAX_HISTORY: Final = 100

Kind: TypeAlias = Literal[
    "task",
    "worker",
    "queue",
    "type",
    "tasks",
    "workflow",
    "failures",
    "compare",
    "charts",
    "messages",
]


@dataclass(frozen=True, slots=True)
class DrillDown:
    """One step deeper: to a page, to failure groups or to a filtered task list."""

    kind: Kind
    subject: str
    """The id of the task, or of any task of the workflow; the name of the worker, queue (also for
    its messages) or task type; the filter of the task list; kind and ids of what is compared, as a
    JSON array; for failures, the id of a task whose group to select, or nothing; nothing for the
    charts."""
    title: str = ""
    """The text in the breadcrumb; the subject if empty."""
    ids: frozenset[str] | None = None
    """The tasks of the list, in any state, if it is not all that match its filter."""


@dataclass(frozen=True, slots=True)
class FilteredView:
    """A numbered view, with a filter for its list."""

    view: str
    filter: str = ""


PAGES: Final = {
    "failures": DrillDown("failures", "", "Failures"),
    "charts": DrillDown("charts", "", "Charts"),
}
"""The pages that are not about a single item; they can be saved as views."""


def page_of(task_id: str) -> DrillDown:
    """Return the step to the page of a task."""
    return DrillDown("task", task_id, short_id(task_id))


def workflow_of(task_id: str) -> DrillDown:
    """Return the step to the workflow of a task."""
    return DrillDown("workflow", task_id, f"workflow {short_id(task_id)}")


@dataclass(frozen=True, slots=True)
class Location:
    """A numbered view, and the steps taken from there."""

    view: str
    path: tuple[DrillDown, ...] = ()

    def deeper(self, drill: DrillDown) -> Location:
        """Return the location one step deeper."""
        return replace(self, path=(*self.path, drill))

    def out(self) -> Location:
        """Return the location one step out; at the root, the view itself."""
        return replace(self, path=self.path[:-1])


@dataclass(slots=True)
class History:
    """The visited locations, as in a browser."""

    locations: list[Location] = field(default_factory=list)
    index: int = -1

    def visit(self, location: Location) -> None:
        """Add a location, and drop those that `]` would have gone to."""
        if self.locations and self.locations[self.index] == location:
            return
        del self.locations[self.index + 1 :]
        self.locations.append(location)
        del self.locations[:-MAX_HISTORY]
        self.index = len(self.locations) - 1

    def step(self, steps: int) -> Location | None:
        """Go back (-1) or forward (1); return None at either end."""
        index = self.index + steps
        if not 0 <= index < len(self.locations):
            return None
        self.index = index
        return self.locations[index]
