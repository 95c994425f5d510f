"""Determines the queue of tasks that have none of their own: new ones, and old ones to be retried.

One rule for triggering and retrying, on the screen and on the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from .state import ClusterState

MAX_RECENT_TASKS: Final = 5_000
"""Tasks considered for the queues that the tasks of a name were sent to."""


class RoutedQueue(NamedTuple):
    """A queue, and why tasks of a name are sent to it."""

    name: str
    reason: str
    """In words that follow `from`: `the app's routes`."""


class Routing(msgspec.Struct, frozen=True, gc=False):
    """The routes of task names to queues; a copy that no thread changes."""

    routes: Mapping[str, str] = {}
    """The queue that the monitored app routes each of its tasks to."""
    default_queue: str | None = None
    """The app's default queue; None without an app."""
    used: Mapping[str, Counter[str]] = {}
    """The queues of the recent tasks of each name, with the number of tasks."""
    consumed: tuple[tuple[Collection[str], Collection[str]], ...] = ()
    """The registered tasks and the consumed queues of each worker that reported both."""

    def queue(self, name: str) -> RoutedQueue | None:
        """Return the queue of a task name; None if it is unknown or ambiguous."""
        if name in self.routes:
            return RoutedQueue(self.routes[name], "the app's routes")
        used, consumed = self.used.get(name, ()), self._consumed(name)
        if len(used) == 1:
            return RoutedQueue(next(iter(used)), "other tasks with its name")
        if not used and len(consumed) == 1:
            return RoutedQueue(consumed.pop(), "the workers that have registered it")
        if self.default_queue is not None:
            return RoutedQueue(self.default_queue, "the app's default")
        return None

    def usual_queue(self, name: str) -> str | None:
        """Return the queue to suggest for a task name; None if nothing is known."""
        if (found := self.queue(name)) is not None:
            return found.name
        used = self.used.get(name)
        return used.most_common(1)[0][0] if used else None

    def candidates(self, name: str) -> tuple[str, ...]:
        """Return the queues that tasks of a name may belong to, sorted."""
        return tuple(sorted({*self.used.get(name, ()), *self._consumed(name)}))

    def _consumed(self, name: str) -> set[str]:
        return {
            queue for registered, queues in self.consumed if name in registered for queue in queues
        }


def routing(
    state: ClusterState, routes: Mapping[str, str], default_queue: str | None = None
) -> Routing:
    """Return what is known about the queues of task names; call it in the model's thread.

    Args:
        state: The model.
        routes: The queue of each task of the monitored app, by the task's name.
        default_queue: The app's default queue; None without an app.
    """
    used: dict[str, Counter[str]] = {}
    for task in islice(reversed(state.tasks.values()), MAX_RECENT_TASKS):
        if task.name is not None and task.queue:
            used.setdefault(task.name, Counter())[task.queue] += 1
    consumed = tuple(
        (worker.registered, tuple(queue.name for queue in worker.queues))
        for worker in state.workers.values()
        if worker.registered is not None and worker.queues is not None
    )
    return Routing(routes, default_queue, used, consumed)
