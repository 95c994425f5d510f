"""Applies the replies of workers to the roster, and makes observations of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ....model.entities.worker import BEAT_PREFIX
from ....model.observations import InspectReply
from ....model.text.passwords import mask_reply
from ...connection.replies import Reply
from ...events.roster import Roster
from ...events.task_events import TaskEvents
from .unobserved_workers import UnobservedWorkers


class WorkerReplies:
    """Updates the roster with each reply.

    Args:
        roster: The known workers and queues.
        task_events: The task events that celtop has enabled.
        unobserved: The workers without events.
        warn: Logs a line.
        hide: Masks the passwords in an error.
    """

    def __init__(
        self,
        roster: Roster,
        task_events: TaskEvents,
        unobserved: UnobservedWorkers,
        warn: Callable[[str], None],
        hide: Callable[[str], str],
    ) -> None:
        self._roster = roster
        self._task_events = task_events
        self._unobserved = unobserved
        self._warn = warn
        self._hide = hide

    def apply(self, reply: Reply, ids: tuple[str, ...] = ()) -> InspectReply | None:
        """Apply a reply and return its observation; None if no worker has sent it.

        A reply to `query_task` is about the tasks `ids`.
        """
        if reply.worker.startswith(BEAT_PREFIX):
            return None
        member = self._roster.replied(reply.worker, reply.command)
        if member is not None and reply.command == "enable_events":
            # Also after an error: a worker that cannot send events cannot do so at the next try.
            member.events_enabled = True
            member.without_events = reply.error is not None
            self._record_enabled(reply)
        elif member is not None and reply.command == "stats" and isinstance(reply.value, dict):
            # Without heartbeats, only the pid shows a restart.
            member.record_process(reply.value.get("pid"))
        elif member is not None:
            self._unobserved.replied(member, reply)
        if reply.command == "active_queues" and isinstance(reply.value, list):
            self._add_queues(reply.value)
        value = mask_reply(reply.value) if reply.command in ("stats", "conf") else reply.value
        error = None if reply.error is None else self._hide(reply.error)
        return InspectReply(
            reply.worker, reply.command, value, time.time(), error, ids, reply.repeated
        )

    def _record_enabled(self, reply: Reply) -> None:
        try:
            self._task_events.replied(reply)
        except OSError as error:
            self._warn(
                f"Cannot record that task events were enabled: {error}. They stay enabled if "
                "celtop is killed"
            )

    def _add_queues(self, queues: list[Any]) -> None:
        for queue in queues:
            if isinstance(queue, dict) and isinstance(queue.get("name"), str):
                self._roster.add_queue(queue["name"])
                arguments = queue.get("queue_arguments")
                if isinstance(arguments, dict) and arguments.get("x-queue-type") == "quorum":
                    self._roster.has_quorum_queues = True
                exchange = queue.get("exchange")
                if isinstance(exchange, dict) and isinstance(exchange.get("name"), str):
                    self._roster.add_exchange(exchange["name"])
