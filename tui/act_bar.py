"""The line that tells of acts: how far one is, and for a while how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .bar import Bar, Part

if TYPE_CHECKING:
    from ..cluster.session import Act
    from ..model.outcome import Outcome
    from .scene import Scene

STAYS: Final = 15.0
"""Seconds that the line stays after the end; it is in the log for good."""
AT_LEAST: Final = 1.5
"""Seconds for which no key takes the line away: a person may be typing on."""


class Acts:
    """The acts of this session that the screen tells of: those under way, and the last one."""

    def __init__(self) -> None:
        self.under_way: list[Act] = []
        self.last: Outcome | None = None
        """How the last one ended, while that is still told of."""
        self.newest: Act | None = None
        """The act that began last, for its details."""
        self._ended_at = 0.0

    def begin(self, act: Act) -> None:
        """Tell of an act from now on."""
        self.under_way.append(act)
        self.newest = act
        self.last = None

    def end(self, act: Act, outcome: Outcome, now: float) -> None:
        """Tell how an act ended, for a while."""
        self.under_way.remove(act)
        self.last = outcome
        self._ended_at = now

    def key_pressed(self, now: float) -> None:
        """Take a line away that was there long enough to be read."""
        if now - self._ended_at >= AT_LEAST:
            self.last = None

    @property
    def latest(self) -> Outcome | None:
        """The newest of the acts under way, else the one that has just ended."""
        return self.under_way[-1].outcome if self.under_way else self.last

    def shown(self, now: float) -> Outcome | None:
        """Return what the line tells of at a time."""
        if self.last is not None and not 0 <= now - self._ended_at < STAYS:
            self.last = None
        return self.latest


class ActBar(Bar):
    """The line above the keys that tells how far an act is; not there if there is none."""

    DEFAULT_CSS = "ActBar { display: none; background: $panel; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._told: tuple[Outcome | None, int] = (None, -1)

    def paint(self, scene: Scene) -> None:
        """Show the present state."""
        outcome = scene.acts.shown(scene.now())
        more = len(scene.acts.under_way) - 1
        if outcome is self._told[0] and more == self._told[1]:
            # An outcome may have thousands of targets: they are not counted for each frame.
            return
        self._told = outcome, more
        self.display = outcome is not None
        if outcome is None:
            return
        from ..model.outcome_words import sentence

        left = [Part(sentence(outcome), _style(outcome), gap=1)]
        right = [Part("d details ", "$text-muted", 2, "app.act_details")]
        if more > 0:
            right.insert(0, Part(f"{more} more under way", "$text-accent", 1))
        self.show(left, right)


def _style(outcome: Outcome) -> str:
    if not outcome.ended:
        return "bold $text-accent"
    if outcome.good:
        return "bold $text-success"
    silent = outcome.refusal is None and outcome.fault is None
    only_silent = silent and not any(
        answer.verdict in ("unsent", "unsure", "refused")
        for answer in (*outcome.targets.values(), *outcome.workers.values())
    )
    return "bold $text-warning" if only_silent else "bold $text-error"
