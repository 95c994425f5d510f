"""The line that tells of acts: how far one is, and for a while how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Bar, Part

if TYPE_CHECKING:
    from ...model.operations.outcome import Outcome
    from ..context import AppContext


class OperationBar(Bar):
    """The line above the keys that tells how far an act is; not there if there is none."""

    DEFAULT_CSS = "OperationBar { display: none; background: $panel; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._told: tuple[Outcome | None, int] = (None, -1)

    def paint(self, context: AppContext, *, covered: bool = False) -> None:
        """Show the present state; under a dialog it is as good as not seen."""
        outcome = context.acts.latest if covered else context.acts.shown(context.now())
        more = len(context.acts.under_way) - (context.acts.last is None)
        if outcome is self._told[0] and more == self._told[1]:
            # An outcome may have thousands of targets: they are not counted for each frame.
            return
        self._told = outcome, more
        self.display = outcome is not None
        if outcome is None:
            return
        from ...model.operations.summary import sentence

        left = [Part(sentence(outcome), _style(outcome), gap=1)]
        right = [Part("d details ", "$text-muted", 0, "app.act_details")]
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
