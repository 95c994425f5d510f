"""Applies the replies of workers to the roster, and passes them on to the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ....model.entities.worker import BEAT_PREFIX
from ....model.observations import InspectReply, Observation
from ....model.text.passwords import mask_reply
from ...connection.replies import Reply
from ...events.open_tasks import OpenTasks
from ...events.roster import Roster
from ...events.task_events import TaskEvents
from ...messages.sent_cache import SentCache
from .unobserved_workers import UnobservedWorkers


class WorkerReplies:
    """Updates the roster and the caches of the threads with each reply, and puts it into the inbox.

    Args:
        put: Puts an observation into the inbox.
        warn: Logs a line.
        hide: Masks the passwords in an error.
        roster: The known workers and queues.
        sent_cache: The calls of the tasks in the replies.
        open_tasks: The unfinished tasks.
        task_events: The task events that celtop has enabled.
        unobserved: The workers without events.
    """

    def __init__(
        self,
        put: Callable[[Observation], None],
        warn: Callable[[str], None],
        hide: Callable[[str], str],
        roster: Roster,
        sent_cache: SentCache,
        open_tasks: OpenTasks,
        task_events: TaskEvents,
        unobserved: UnobservedWorkers,
    ) -> None:
        self._put = put
        self._warn = warn
        self._hide = hide
        self._roster = roster
        self._sent_cache = sent_cache
        self._open_tasks = open_tasks
        self._task_events = task_events
        self._unobserved = unobserved

    def apply(self, reply: Reply, ids: tuple[str, ...] = ()) -> None:
        """Apply a reply; one to `query_task` is about the tasks `ids`."""
        if reply.worker.startswith(BEAT_PREFIX):
            return
        member = self._roster.replied(reply.worker)
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
        self._sent_cache.add_reply(reply.command, reply.value, time.time())
        self._open_tasks.apply_reply(reply.command, reply.value)
        error = None if reply.error is None else self._hide(reply.error)
        self._put(
            InspectReply(
                reply.worker, reply.command, value, time.time(), error, ids, reply.repeated
            )
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
