"""Reads the history when a connection comes up: finished tasks and waiting messages.

Queues whose consumers send no events are read again and again: only the messages name the tasks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from ...model.entities.fault import Fault
from ...model.entities.result import ResultMeta
from ...model.observations import (
    HistorySearched,
    QuestionsAnswered,
    QuestionsFailed,
    ResultsRead,
)
from ..connection.broker import BrokerConnection
from ..connection.faults.errors import explain
from ..events.open_tasks import OpenTasks
from ..events.receiver import Receiver
from ..inbox import Inbox
from ..stoppable_thread import StoppableThread
from .backends.base import ResultReader, ResultsError
from .search import ResultSearch

MAX_MESSAGES: Final = 500
"""Messages read from one queue, beginning with the next one."""
MAX_QUEUES: Final = 50
"""Queues whose messages are read."""
COMMANDS_FOR_QUEUE: Final = 2
"""Commands that the messages of one queue take."""
COMMANDS_FOR_HELD: Final = 4
"""Commands that the messages which workers have received take."""
READ_BYTES: Final = 4 << 20
"""Approximate size of the messages that are read at once with a budget of commands."""
PEEK_DEADLINE: Final = 20.0
"""Seconds after a connection in which newly discovered queues are still read."""
REPEATED_MESSAGES: Final = 200
"""Messages of one queue that are read repeatedly."""
REPEATED_QUEUES: Final = 10
"""Queues read in one round; if there are more, they take turns."""
REPEAT_INTERVAL: Final = 10.0
"""Seconds between two such rounds."""
PAUSE_AFTER: Final = 30.0
"""Seconds without a `pump` after which queues are not read again."""
_EARLY_CHECK_INTERVAL: Final = 0.2
_IDLE_CHECK_INTERVAL: Final = 5.0
"""Seconds between two looks for something to read, at first and later; see `wake_if_due`."""
_EARLY_SECONDS: Final = 3.0
"""Seconds after a connection with these early looks, in a process that goes on."""


def load_results(
    reader: ResultReader,
    search: ResultSearch,
    filter_text: str,
    inbox: Inbox,
    stop: threading.Event | None = None,
) -> HistorySearched:
    """Put the finished tasks that match a search into the inbox; return how it ended.

    Raises:
        ResultsError: The backend cannot be read.
    """
    loaded = 0

    def put(metas: tuple[ResultMeta, ...]) -> None:
        nonlocal loaded
        loaded += len(metas)
        source: Literal["history", "search"] = "history" if search.query.empty else "search"
        inbox.put(ResultsRead(metas, time.time(), source))

    try:
        found = reader.search(search, put, stop)
    except Exception as error:
        # The text of an unforeseen error may contain a password.
        fault = (
            error.fault
            if isinstance(error, ResultsError)
            else Fault("results", f"cannot read the results ({type(error).__name__})", "")
        )
        inbox.put(QuestionsFailed("cluster", ("results",), time.time(), fault))
        raise ResultsError(fault) from error
    at = time.time()
    inbox.put(QuestionsAnswered(("results",), at))
    seen = HistorySearched(filter_text, loaded, found.total, found.more, found.note, at)
    inbox.put(seen)
    return seen


def search_history(
    reader: ResultReader,
    search: ResultSearch,
    filter_text: str,
    inbox: Inbox,
    stop: threading.Event | None = None,
) -> HistorySearched:
    """Do the same, but for a backend that cannot be read return the reason.

    Raises:
        ResultsError: The backend cannot be read at the moment.
    """
    if reader.unavailable is None:
        return load_results(reader, search, filter_text, inbox, stop)
    seen = HistorySearched(filter_text, 0, None, True, reader.unavailable, time.time())
    inbox.put(seen)
    return seen


class ResultHistory(StoppableThread):
    """Reads, once for each connection, up to `limit` tasks whose events were sent before it."""

    def __init__(
        self,
        reader: Callable[[], ResultReader],
        broker: BrokerConnection,
        receiver: Receiver,
        inbox: Inbox,
        open_tasks: OpenTasks,
        limit: int,
    ) -> None:
        super().__init__("history")
        self._reader = reader
        self._broker = broker
        self._receiver = receiver
        self._inbox = inbox
        self._open_tasks = open_tasks
        self._limit = limit
        self._lock = threading.Lock()
        self._queues: dict[str, int] = {}
        self._read: tuple[object, ...] | None = None
        self._complete: tuple[object, ...] | None = None
        self._repeated_at = 0.0
        self._turn = -1
        self._connects = 0
        self.repeated_queues: tuple[str, ...] = ()
        """Queues to read repeatedly, because no event names their tasks; set by the follower."""
        self.max_messages = MAX_MESSAGES
        """Messages read from one queue; 0 reads none."""
        self.queues_done: frozenset[str] = frozenset()
        """The added queues whose messages were read, or are not read."""
        self.any_held = False
        """Whether workers have received messages that are not acknowledged."""
        self.unattended: dict[str, int] = {}
        """Messages waiting in queues without consumers; replaced as a whole. Such a queue is read
        again whenever their number has changed."""

    @property
    def complete(self) -> bool:
        """Whether the finished tasks were read since the connection came up, or cannot be."""
        reader = self._reader()
        key = (self._receiver.connect_count, reader.location)
        return not self._limit or reader.unavailable is not None or key == self._complete

    def add_queues(self, waiting: Mapping[str, int]) -> None:
        """Add queues with the number of their messages; each is read once for a connection."""
        with self._lock:
            self._queues.update(waiting)

    def wake_if_due(self) -> None:
        """Wake the thread if there may be something to read; called once a second."""
        reconnected = self._connects != self._receiver.connect_count
        if reconnected or self._queues or self.unattended or self.repeated_queues:
            self._woken.set()

    def run(self) -> None:
        """Read after each connection until stopped."""
        connects, since = 0, time.monotonic()
        held_read = False
        settled: set[str] = set()
        limited = self._broker.meter.is_limited
        read: dict[str, int] = {}
        while True:
            early = time.monotonic() - since < (PEEK_DEADLINE if limited else _EARLY_SECONDS)
            self._woken.wait(_EARLY_CHECK_INTERVAL if early else _IDLE_CHECK_INTERVAL)
            self._woken.clear()
            if self._stopping.is_set():
                return
            if not self._receiver.live.is_set():
                continue
            if connects != self._receiver.connect_count:
                connects = self._connects = self._receiver.connect_count
                since = time.monotonic()
                read.clear()
                held_read = False
            self._read_results(connects)
            with self._lock:
                added, self._queues = self._queues, {}
            if limited and not {*added, *self.unattended} <= settled:
                # Read together, they take fewer commands.
                settled |= {*added, *self.unattended}
                continue
            unattended, self.unattended = self.unattended, {}
            in_time = time.monotonic() - since <= PEEK_DEADLINE
            new = _unread(read, added if in_time else {}, unattended)
            reads_held = not held_read and (self.any_held or not limited)
            if self.max_messages and self._broker.is_redis and (new or reads_held):
                self._peek(tuple(new), self.max_messages, reads_held)
                read |= new
                held_read = held_read or reads_held
            elif self.repeated_queues:
                self._peek_again()
            self.queues_done |= added.keys()

    def _peek_again(self) -> None:
        """Read some of the queues whose tasks no event names, if it is time to."""
        if time.monotonic() - self._repeated_at < REPEAT_INTERVAL or not self.max_messages:
            return
        if self._inbox.seconds_since_take() > PAUSE_AFTER or not self._broker.is_redis:
            return
        self._repeated_at = time.monotonic()
        self._turn += 1
        names = self.repeated_queues
        first = self._turn * REPEATED_QUEUES % len(names)
        self._peek((*names[first:], *names[:first])[:REPEATED_QUEUES], REPEATED_MESSAGES)

    def _read_results(self, connects: int) -> None:
        reader = self._reader()
        key = (connects, reader.location)
        if not self._limit or reader.unavailable is not None or key == self._read:
            return
        self._read = key
        search = ResultSearch(time.time(), limit=self._limit)
        try:
            load_results(reader, search, "", self._inbox, self._stopping)
        except ResultsError as error:
            self._note(f"Cannot load finished tasks: {error}")
        self._complete = key

    def _peek(self, names: Sequence[str], limit: int, held: bool = False) -> None:
        from ..messages.reader import MessageReader

        try:
            with self._broker.connection() as connection:
                messages = MessageReader(connection, self._broker)
                meter = self._broker.meter
                at_once = meter.is_limited and messages.read_ahead(names, limit, READ_BYTES)
                for name in names:
                    if self._stopping.is_set():
                        return
                    if not at_once and meter.spare < COMMANDS_FOR_QUEUE:
                        self._note("Not all waiting messages were read: it takes too many commands")
                        break
                    seen = messages.waiting(name, limit)
                    for message in seen.messages:
                        self._open_tasks.mark_waiting(message.id)
                    self._inbox.put(seen)
                if held and meter.spare >= COMMANDS_FOR_HELD:
                    seen = messages.held(self.max_messages)
                    for message in seen.messages:
                        self._open_tasks.mark_waiting(message.id)
                    self._open_tasks.request_read([message.id for message in seen.messages])
                    self._inbox.put(seen)
        except Exception as error:
            if not self._stopping.is_set():
                self._note(f"Cannot read waiting messages: {explain(error, self._broker)}")

    def _note(self, text: str) -> None:
        self._inbox.log("warning", "history", text)


def _unread(
    read: Mapping[str, int], added: Mapping[str, int], unattended: Mapping[str, int]
) -> dict[str, int]:
    """Return the queues to read, with the number of their messages.

    Args:
        read: Those that were read since the connection, with their number then.
        added: Those that were found since the last look.
        unattended: Those without consumers: no worker takes their messages, which alone name the
            tasks there.
    """
    new = {name: waiting for name, waiting in added.items() if name not in read}
    new |= {name: waiting for name, waiting in unattended.items() if read.get(name) != waiting}
    room = MAX_QUEUES - len(read)
    unknown = [name for name in new if name not in read]
    for name in unknown[max(0, room) :]:
        del new[name]
    return new
