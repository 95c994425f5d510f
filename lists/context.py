"""The context of the rows and cells of a list: all they need besides the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..model.entities.broker import Listening
from ..model.state import ClusterState
from ..widgets.glyphs import UNICODE, Glyphs
from ..widgets.table.column import Frame


class KnowsRetries(Protocol):
    """The settings, which have the tasks of the named app."""

    def max_retries_of(self, task: str | None) -> int | None:
        """Return the `max_retries` of a task by name."""


@dataclass(frozen=True, slots=True)
class ListContext:
    """The model and the clock, for the rows and cells of a list."""

    state: ClusterState
    now: float
    """Epoch seconds."""
    settings: KnowsRetries
    progress_unavailable: str | None = None
    glyphs: Glyphs = UNICODE
    utc: bool = False

    @property
    def listening(self) -> Listening:
        """Since when events are received."""
        return self.state.broker.listening(self.now)

    def frame(self) -> Frame:
        """Return what cells need to know of the moment at which they are drawn."""
        until = self.state.broker.observed_until(self.now)
        return Frame(self.now, self.glyphs, self.utc, skews=self.state.skews, observed_until=until)


class NoApp:
    """Settings without an app, of whose tasks nothing is known."""

    def max_retries_of(self, task: str | None) -> int | None:
        """Return None."""
        return None


def no_context() -> ListContext:
    """Return the context of an empty cluster, to look at the columns of a list."""
    return ListContext(ClusterState(), 0.0, NoApp())
