"""Changes to the targets of an operation while its confirmation is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Self

from ..operations.commands import Operation
from ..state import ClusterState
from ..text.phrases import counted, named
from .targets import known_targets


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of an operation when its confirmation was first shown."""

    operation: Operation
    finished: frozenset[str]
    """The tasks that had finished."""
    present: frozenset[str]
    """The workers that a command would have reached."""

    @classmethod
    def of(cls, operation: Operation, state: ClusterState, now: float) -> Self:
        """Return the targets as they are now, in epoch seconds."""
        finished = known_targets(state, operation).finished
        return cls(operation, frozenset(finished), frozenset(state.present_workers(now)))

    def changes(self, state: ClusterState, now: float) -> tuple[str, ...]:
        """Return which tasks have finished, and which workers have gone offline, since then."""
        lines = []
        known = known_targets(state, self.operation).finished
        ended = Counter(ended for id_, ended in known.items() if id_ not in self.finished)
        if ended:
            number, states = len(self.operation.targets), ended.most_common()
            if number == 1:
                lines.append(f"Finished meanwhile: {states[0][0]}")
            else:
                by_state = ", ".join(f"{count:,} {state}" for state, count in states)
                lines.append(f"{ended.total():,} of {counted(number, 'task')} finished meanwhile:")
                lines[-1] += f" {by_state}"
        gone = self.present.intersection(self.operation.expected_workers)
        gone -= set(state.present_workers(now))
        if gone:
            lines.append(f"Offline meanwhile: {named(sorted(gone))}")
        return tuple(lines)
