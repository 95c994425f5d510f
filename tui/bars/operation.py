"""The bar above the keys: the progress of an operation and, for a while, its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...bindings.keymap import Keymap
from .base import Bar, Part

if TYPE_CHECKING:
    from ...model.operations.outcome import Outcome
    from ..context import AppContext


class OperationBar(Bar):
    """The newest running operation or a result; hidden if there is neither."""

    DEFAULT_CSS = "OperationBar { display: none; background: $panel; }"

    _shown: tuple[Outcome | None, int, str] = (None, -1, "")

    def paint(self, context: AppContext, keymap: Keymap, *, covered: bool = False) -> None:
        """Show the present state; under a dialog a result does not count as seen."""
        operations = context.operations
        outcome = operations.latest if covered else operations.shown(context.clock())
        more = len(operations.running) - (operations.result is None)
        key = keymap.key("act.details", ascii_only=context.ascii)
        if outcome is self._shown[0] and (more, key) == self._shown[1:]:
            # An outcome may have thousands of targets: they are not counted for each frame.
            return
        self._shown = outcome, more, key
        self.display = outcome is not None
        if outcome is None:
            return
        from ...model.operations.summary import sentence

        left = [Part(sentence(outcome), _style(outcome), click="app.operation_details", gap=1)]
        label = f"{key} details ".lstrip()
        right = [Part(label, "$text-muted", 0, "app.operation_details")]
        if more > 0:
            right.insert(0, Part(f"{more} more running", "$text-accent", 1))
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
