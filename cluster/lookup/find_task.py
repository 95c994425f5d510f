"""Looks for one task in the queues, the result backend and the workers.

No event needs to have been received. Each place is checked on its own: if one cannot be checked,
the result has the reason, and the others are still searched.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...model.lookup import HELD_BY_WORKER, LookupPlace, PlaceChecked, Sighting, TaskLookup
from ...model.observations import InspectReply, QueuePeeked, ResultsRead
from ..connection.broker import BrokerConnection
from ..connection.faults.errors import explain
from ..connection.remote_control import RemoteControl
from ..connection.replies import Reply
from ..messages.envelope import Envelope, waiting_message
from ..messages.reader import MessageReader
from ..results.backends.base import ResultReader, ResultsError

if TYPE_CHECKING:
    from kombu.connection import Connection

    from ...model.operations.call import SentTask


class TaskSearch:
    """One search for a task in a broker and a result backend."""

    def __init__(self, id_: str, broker: BrokerConnection, results: ResultReader) -> None:
        self._id = id_
        self._broker = broker
        self._results = results
        self._found: list[Sighting] = []
        self._places: list[PlaceChecked] = []

    def run(self, workers: Mapping[str, str | None], queues: Sequence[str]) -> TaskLookup:
        """Search; takes as long as the slowest worker's reply, a few seconds at most.

        `workers` are those to expect replies from; the value is the serializer of their replies if
        it is not accepted.
        """
        try:
            connection = self._broker.connect()
        except Exception as error:
            reason = str(explain(error, self._broker))
            self._checked("queues", None, reason)
            self._checked("workers", None, reason)
            self._search_backend()
        else:
            try:
                self._search_messages(connection, queues)
                self._search_backend()
                self._ask_workers(connection, workers)
            finally:
                connection.collect()
        return TaskLookup(self._id, time.time(), tuple(self._found), tuple(self._places))

    def _checked(self, place: LookupPlace, found: bool | None, text: str) -> None:
        self._places.append(PlaceChecked(place, found, text))

    def _search_messages(self, connection: Connection, queues: Sequence[str]) -> None:
        """Search the messages, waiting and unacknowledged."""
        messages = MessageReader(connection, self._broker)
        if messages.unavailable is not None:
            self._checked("queues", None, messages.unavailable)
            return
        try:
            original = messages.find([self._id], queues).get(self._id)
        except Exception as error:
            self._checked("queues", None, str(explain(error, self._broker)))
            return
        if original is not None and original.message is not None:
            self._add_message(original)
            return
        where = f" in {', '.join(queues)}" if queues else ""
        notes = "".join(f"; {note}" for note in messages.notes)
        text = f"no waiting message{where}; no unacknowledged message{notes}"
        self._checked("queues", False, text)

    def _add_message(self, original: SentTask) -> None:
        raw = original.message
        assert raw is not None
        queue = original.call.queue or ""
        source = f"message in queue {queue}" if original.source == "queue" else HELD_BY_WORKER
        message = Envelope(raw.headers, properties={"priority": raw.priority})
        seen = QueuePeeked(
            queue,
            (waiting_message(message, queue),),
            original.seen_at,
            complete=False,
            held=original.source != "queue",
        )
        self._found.append(Sighting(source, seen))
        self._checked("queues", True, source)

    def _search_backend(self) -> None:
        reason = self._results.unavailable
        if reason is None:
            try:
                meta = self._results.read([self._id]).get(self._id)
            except ResultsError as error:
                reason = str(error)
        if reason is not None:
            self._checked("backend", None, reason)
        elif meta is None:
            self._checked("backend", False, "no result")
        else:
            seen = ResultsRead((meta,), time.time(), "lookup")
            self._found.append(Sighting("result backend", seen))
            text = f"state {meta.status}" if meta.status else "unreadable result"
            self._checked("backend", True, text)

    def _ask_workers(self, connection: Connection, workers: Mapping[str, str | None]) -> None:
        """Ask all workers whether they have the task.

        `query_task` does not find every task that awaits a retry; those are listed as scheduled.
        """
        lists: list[str] = []

        def on_reply(reply: Reply) -> None:
            value = reply.value
            if reply.command == "scheduled":
                value = self._scheduled_here(value)
            if (where := self._list_with_task(value)) is not None:
                lists.append(f"{where} on {reply.worker}")
                seen = InspectReply(reply.worker, "query_task", value, time.time())
                self._found.append(Sighting(f"worker {reply.worker}", seen))

        try:
            control = RemoteControl(connection, self._broker)
            asked = tuple(workers) or None
            ids = {"query_task": {"ids": [self._id]}}
            replies = control.gather(["query_task"], asked, arguments=ids, on_reply=on_reply)
            if not lists and (replied := list(replies.to("query_task"))):
                control.gather(["scheduled"], replied, destination=replied, on_reply=on_reply)
            control.close()
        except Exception as error:
            self._checked("workers", None, str(explain(error, self._broker)))
            return
        replied = sorted(replies.to("query_task"))
        silent = sorted(set(workers).difference(replied))
        parts = lists or ([f"not on {', '.join(replied)}"] if replied else [])
        unread = {name: workers[name] for name in silent if workers[name] and replies.unreadable}
        parts += [f"replies of {name} in {unread[name]} cannot be read" for name in unread]
        if others := [name for name in silent if name not in unread]:
            parts.append(f"no reply from {', '.join(others)}")
        elif not replied and not unread:
            parts.append("no worker replied")
        if not unread:
            parts += [f"replies in {name} cannot be read" for name in sorted(replies.unreadable)]
        # A worker that could not be asked may have it.
        found = True if lists else None if silent or not replied or replies.unreadable else False
        self._checked("workers", found, "; ".join(parts))

    def _scheduled_here(self, reply: Any) -> dict[str, Any]:
        """Return the task in a reply to `scheduled`, in the form of a reply to `query_task`."""
        for entry in reply if isinstance(reply, list) else ():
            request = entry.get("request") if isinstance(entry, dict) else None
            if isinstance(request, dict) and request.get("id") == self._id:
                return {self._id: ["scheduled", {**request, "eta": entry.get("eta")}]}
        return {}

    def _list_with_task(self, reply: Any) -> str | None:
        """Return the worker's list with the task (`active`, `reserved`, `scheduled`), or None."""
        item = reply.get(self._id) if isinstance(reply, dict) else None
        if not isinstance(item, list | tuple) or len(item) != 2:
            return None
        return item[0] if item[0] in ("active", "reserved", "scheduled") else "known"
