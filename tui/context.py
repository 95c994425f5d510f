"""What all screens share: the session and its model, the settings, the clock and the glyphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..bindings.keymap import Keymap
from ..widgets.glyphs import ASCII, Glyphs
from ..widgets.table.column import Frame
from .operations.running import RunningOperations

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.state import ClusterState
    from ..settings import Settings

PAUSED_FOR: Final = 1.0
"""Seconds for which it is taken as known which queues are paused."""


@dataclass(slots=True)
class AppContext:
    """The stage that every screen plays on."""

    session: Session
    settings: Settings
    clock: Callable[[], float]
    glyphs: Glyphs
    utc: bool = False
    """Whether times of day are shown in UTC."""
    keymap: Keymap = field(default_factory=Keymap)
    """The keys of every action, as the user has them."""
    frozen_events: int | None = None
    """How many events had been heard when the screen was frozen; None while it lives."""
    acts: RunningOperations = field(default_factory=RunningOperations)
    """What the user has started, as far as the screen tells of it."""
    _unknown: tuple[float, str | None] | None = None
    """When it was last asked why results are unknown, and the answer."""
    _paused: tuple[float, frozenset[str]] | None = None
    """When the paused queues were last looked up, and which they were."""

    @property
    def state(self) -> ClusterState:
        """The model."""
        return self.session.state

    @property
    def ascii(self) -> bool:
        """Whether only ASCII may be drawn."""
        return self.glyphs is ASCII

    @property
    def frozen(self) -> bool:
        """Whether the screen is to stay as it is."""
        return self.frozen_events is not None

    @property
    def held_back(self) -> int:
        """How many events were heard since the screen was frozen."""
        return 0 if self.frozen_events is None else self.state.totals.events - self.frozen_events

    @property
    def paused_queues(self) -> frozenset[str]:
        """The queues that celtop has paused; they are in a file, so not read for every frame."""
        now = self.clock()
        if self._paused is None or not 0 <= now - self._paused[0] < PAUSED_FOR:
            self._paused = now, frozenset(self.session.paused_queues())
        return self._paused[1]

    @property
    def progress_unavailable(self) -> str | None:
        """Why nothing tells how far tasks have come; None if the result backend does."""
        now = self.clock()
        if self._unknown is None or not 0 <= now - self._unknown[0] < PAUSED_FOR:
            self._unknown = now, self.session.progress_unavailable
        return self._unknown[1]

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        return self.clock()

    def frame(self) -> Frame:
        """Return the moment that a frame shows."""
        return Frame(self.clock(), self.glyphs, self.utc, self.state.skews)
