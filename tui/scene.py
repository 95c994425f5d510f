"""What all screens share: the session and its model, the settings, the clock and the glyphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..widgets.column import Frame
from ..widgets.glyphs import ASCII, Glyphs
from .act_bar import Acts

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.state import ClusterState
    from ..settings import Settings


@dataclass(slots=True)
class Scene:
    """The stage that every screen plays on."""

    session: Session
    settings: Settings
    clock: Callable[[], float]
    glyphs: Glyphs
    utc: bool = False
    """Whether times of day are shown in UTC."""
    frozen_events: int | None = None
    """How many events had been heard when the screen was frozen; None while it lives."""
    acts: Acts = field(default_factory=Acts)
    """What the user has started, as far as the screen tells of it."""

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

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        return self.clock()

    def frame(self) -> Frame:
        """Return the moment that a frame shows."""
        return Frame(self.clock(), self.glyphs, self.utc)
