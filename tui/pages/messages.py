"""The messages that wait in a queue, the next one first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from textual import work

from ...model.confirm.queues import why_unreadable
from ...model.entities.queue import Queue
from ...model.entities.task import Task
from ...model.ingest.queues.queue_peeks import MAX_LISTED_MESSAGES, Listing
from ...model.observations import QueuePeeked, WaitingMessage
from ...model.text import units
from ...model.text.sanitize import visible
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..columns.messages import MESSAGE_KEYS, message_columns
from ..context import AppContext
from ..keymap import bindings
from ..navigation import Location, page_of
from ..panes.preview import Previewed, column_fields
from ..panes.task_preview import type_charts
from ..screens.base.row_lists import RowListScreen
from ..text.listings import task_counts

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ...model.entities.changes import Changes
    from ...widgets.table.viewport import Motion

R = TypeVar("R")

PAGE: Final = 500
"""Messages that are read at once."""
AHEAD: Final = 50
"""Rows below the cursor; with fewer, the next messages are read."""
MAX_ERROR: Final = 200
"""Characters of an error."""


class MessagesScreen(RowListScreen[WaitingMessage]):
    """The messages of a queue, read page by page as one scrolls.

    Reading changes nothing on Redis. On RabbitMQ it marks messages as redelivered, so that it is an
    operation that has to be confirmed; this screen then shows what was read.
    """

    BINDINGS = bindings("messages", "tasks", "queues")
    CONTEXTS = ("list", "messages", "tasks", "queues")
    LIST = "messages"
    QUESTION = ""
    EMPTY = "No messages"
    ORDER = ("before", False)
    FAULTS = "revoked or expired"
    KEYS = MESSAGE_KEYS
    PREVIEWS = True
    PREVIEW_LINES = 0

    def __init__(self, context: AppContext, location: Location) -> None:
        self.queue = location.path[-1].subject
        self._reading = False
        self._shown: Listing | None = None
        self._problem = ""
        super().__init__(context, location)

    @property
    def topics(self) -> frozenset[str]:
        """Queue depths and consumers."""
        return frozenset({"queues", "consumers"})

    def on_mount(self) -> None:
        """Read the first messages again."""
        super().on_mount()
        if self._reads_freely:
            self._read(0)
        if not self.context.frozen:
            self.context.session.lookups.read_revoked()

    @property
    def listing(self) -> Listing | None:
        """The messages that were read; None before that."""
        return self.context.state.listing(self.queue)

    def previewed(self, row: WaitingMessage) -> Previewed:
        """Return all that is known of a message, and charts of its task type."""
        fields = column_fields(self.list_table.columns, row, self.context.frame())
        known = [field for field in fields if field.value.strip()]
        charts = type_charts(row.name, self.context)
        title = f"Message of {row.name}"
        return Previewed(row.id, title, known, charts, wraps=True, stacks=True)

    @property
    def _reads_freely(self) -> bool:
        """Whether reading changes nothing."""
        return self.context.live.broker.family != "amqp"

    # Rows

    def columns(self) -> tuple[Column[WaitingMessage], ...]:
        """Return the columns of messages."""
        return message_columns(self.context.state)

    def source(self) -> Iterable[WaitingMessage]:
        """Return the messages that were read."""
        return () if self.listing is None else self.listing.messages

    def take(self, changes: Changes) -> None:
        """Show further messages at once."""
        if self.listing is not self._shown:
            self._shown = self.listing
            self.catch_up()
        super().take(changes)

    def row_version(self, row: WaitingMessage) -> object:
        """Return the version of its task, whose state is shown."""
        task = self.context.state.tasks.get(row.id)
        return row, None if task is None else task.version

    def row_text(self, row: WaitingMessage) -> str:
        """Return name, id, state, arguments and sender."""
        task = self.context.state.tasks.get(row.id)
        state = "" if task is None else f"{task.state} {'revoking' if task.revoking else ''}"
        return " ".join((row.name, row.id, state, row.args or "", row.kwargs or "", row.sender))

    def faulty(self, row: WaitingMessage) -> bool:
        """Return whether workers will discard it: it is revoked or expired."""
        task = self.context.state.tasks.get(row.id)
        revoked = task is not None and (task.revoking or task.state == "REVOKED")
        return revoked or (row.expires_at is not None and row.expires_at <= self.context.now())

    def chosen(self, kind: type[R]) -> list[R]:
        """Return the queue, the selected messages or their tasks."""
        rows: Sequence[object] = super().chosen(WaitingMessage)
        if kind is Queue:
            queue = self.context.state.queues.get(self.queue)
            rows = () if queue is None else (queue,)
        elif kind is Task:
            tasks = self.context.state.tasks
            rows = [tasks[one.id] for one in super().chosen(WaitingMessage) if one.id in tasks]
        return [row for row in rows if isinstance(row, kind)]

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the task."""
        self.visit(page_of(message.row_id))

    # Reading

    def action_move(self, motion: Motion) -> None:
        """Move the cursor, and read on near the end."""
        super().action_move(motion)
        table = self.list_table
        at = table.rows.index(table.cursor_id or "")
        if at is not None and at >= len(table.rows) - AHEAD and not self.filter_text:
            self._read_on()

    def _read_on(self) -> None:
        """Read the next messages, if there are any."""
        listing = self.listing
        if not self._reads_freely or listing is None or listing.complete:
            return
        if len(listing.messages) < MAX_LISTED_MESSAGES:
            self._read(listing.read)

    def _read(self, skip: int) -> None:
        if self._reading or self.context.frozen:
            return
        self._reading = True
        self._wait(self.context.session.lookups.peek(self.queue, PAGE, None, skip))

    @work(exit_on_error=False)
    async def _wait(self, reading: Future[QueuePeeked]) -> None:
        try:
            await asyncio.wrap_future(reading)
            self._problem = ""
        except Exception as error:
            self._problem = str(error) or type(error).__name__
        self._reading = False
        if self.is_attached:
            self.paint_info()

    # The info bar

    @property
    def unknown_reason(self) -> str:
        """Why it is unknown whether there are messages."""
        if self._problem or self.listing is None:
            return self._problem or "the messages have not been read"
        return ""

    def empty_text(self) -> str:
        """Return why there is nothing to list."""
        listing = self.listing
        if self._problem:
            return f"The messages could not be read: {visible(self._problem, MAX_ERROR)}"
        if listing is None and not self._reads_freely:
            if unreadable := why_unreadable(self.context.live):
                return f"The messages cannot be read: {visible(unreadable, MAX_ERROR)}"
            key = self.keymap.key("queue.look")
            return f"Press {key} to read messages" if key else "The messages have not been read"
        if listing is None or (self._reading and not listing.messages):
            return "Reading the messages"
        if listing.notes and not listing.messages:
            return "; ".join(listing.notes)
        return super().empty_text()

    def notes(self) -> Sequence[Part]:
        """Return how much was read, and the most frequent task names in it."""
        listing = self.listing
        if listing is None:
            return ()
        queue = self.context.state.queues.get(self.queue)
        age = units.age(listing.at, self.context.now())
        read = f"read {age} ago"
        if not listing.complete:
            waiting = "" if queue is None or queue.waiting is None else f" of {queue.waiting:,}"
            read = f"the next {len(listing.messages):,}{waiting}, {read}"
        parts = [Part(read, "$text-muted", 3)]
        if names := task_counts(listing):
            parts.append(Part(names, "$text", 4))
        if self._problem and listing.messages:
            parts.append(Part(visible(self._problem, MAX_ERROR), "$text-warning", 1))
        parts += [Part(note, "$text-warning", 2) for note in listing.notes]
        return parts
