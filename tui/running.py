"""The operations that this session has started, as the screen reports them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..model.operations.commands import Purge

if TYPE_CHECKING:
    from ..cluster.session import RunningOperation
    from ..model.operations.outcome import Outcome
    from ..widgets.table.live_table import LiveTable

RESULT_SHOWN_FOR: Final = 15.0
"""Seconds that a result stays on the screen; the log keeps it."""
QUEUED_RESULT_SHOWN_FOR: Final = 4.0
"""Seconds that it stays while another operation is running or has its result to show."""
RESULT_SHOWN_AT_LEAST: Final = 1.5
"""Seconds during which no key removes a result: the user may be typing ahead."""


@dataclass(slots=True, eq=False)
class TrackedOperation:
    """An operation, and its outcome as of the last look at the model."""

    operation: RunningOperation
    outcome: Outcome
    table: LiveTable[Any] | None = None
    """Where its targets may be marked."""

    def update(self, outcome: Outcome) -> None:
        """Take over a newer outcome, and unmark the targets that it confirms.

        Repeating the operation then concerns the remaining targets only.
        """
        known, self.outcome = self.outcome.targets, outcome
        if self.table is not None and self.table.marks:
            self.table.unmark(
                *(
                    target
                    for target, answer in outcome.targets.items()
                    if answer.verdict == "confirmed" and known.get(target) is not answer
                )
            )
            operation = outcome.operation
            if isinstance(operation, Purge) and outcome.having("confirmed"):
                # Its target is the queue; the marked messages have left it.
                self.table.unmark(*(operation.ids or ()))


class RunningOperations:
    """The running operations of this session, and the results that the user has yet to see.

    A result counts as seen from the moment it is on the screen. Further results wait for their
    turn.
    """

    def __init__(self) -> None:
        self.running: list[TrackedOperation] = []
        self._newest: TrackedOperation | None = None
        self._results: deque[TrackedOperation] = deque()
        self._shown_at: float | None = None
        """When the first of the results came on the screen."""

    def begin(
        self, operation: RunningOperation, table: LiveTable[Any] | None = None
    ) -> TrackedOperation:
        """Track an operation; its confirmed targets are unmarked in `table`."""
        self._newest = TrackedOperation(operation, operation.outcome, table)
        self.running.append(self._newest)
        if self._shown_at is not None:
            self._next_result()
        return self._newest

    def update(self, outcomes: Mapping[int, Outcome]) -> list[Outcome]:
        """Take over the model's outcomes, by operation number; return those that have ended."""
        ended = []
        for tracked in self.running.copy():
            outcome = outcomes.get(tracked.outcome.number, tracked.outcome)
            if outcome is tracked.outcome:
                continue
            tracked.update(outcome)
            if outcome.ended:
                self.running.remove(tracked)
                self._results.append(tracked)
                ended.append(outcome)
        return ended

    def key_pressed(self, now: float) -> None:
        """Remove a result that was on the screen long enough to be read."""
        if self._shown_at is not None and now - self._shown_at >= RESULT_SHOWN_AT_LEAST:
            self._next_result()

    @property
    def result(self) -> Outcome | None:
        """The result on the screen, if any."""
        return self._results[0].outcome if self._results else None

    @property
    def latest(self) -> Outcome | None:
        """The content of the operation bar: a result, otherwise the newest running operation."""
        if self._results:
            return self._results[0].outcome
        return self.running[-1].outcome if self.running else None

    @property
    def selected(self) -> TrackedOperation | None:
        """The operation whose details a key opens: the one on the screen, otherwise the newest."""
        if self._results:
            return self._results[0]
        return self.running[-1] if self.running else self._newest

    def shown(self, now: float) -> Outcome | None:
        """Return what the operation bar shows at a time; from now on it counts as seen."""
        others = len(self._results) > 1 or self.running
        stays = QUEUED_RESULT_SHOWN_FOR if others else RESULT_SHOWN_FOR
        if self._shown_at is not None and not 0 <= now - self._shown_at < stays:
            self._next_result()
        if self._results and self._shown_at is None:
            self._shown_at = now
        return self.latest

    def _next_result(self) -> None:
        self._results.popleft()
        self._shown_at = None
