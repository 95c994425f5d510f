"""Polls the result backend for tasks on the screen and for tasks that may have finished unnoticed.

Two jobs in one thread. If the backend does not publish changes, the tasks on the screen are polled,
faster while they progress. And with every backend, all running tasks are read every few seconds, so
that no row contradicts the backend for long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from ...model.entities.fault import Fault
from ...model.entities.result import ResultMeta
from ...model.observations import QuestionsAnswered, QuestionsFailed, ResultsRead
from ..connection.backoff import backoff
from ..events.open_tasks import OpenTasks
from ..inbox import Inbox
from ..stoppable_thread import StoppableThread
from .backends.base import ResultReader, ResultsError
from .push import PAUSE_AFTER, ResultPush

MIN_POLL_INTERVAL: Final = 0.25
"""Seconds between two reads of the tasks on the screen while they progress."""
MAX_POLL_INTERVAL: Final = 4.0
"""Seconds between two such reads while nothing changes."""
FIRST_POLL_INTERVAL: Final = 0.5
"""Seconds between the first two such reads."""
CHECK_INTERVAL: Final = 8.0
"""Seconds between two reads of all running tasks."""
FRUGAL_FACTOR: Final = 4.0
"""Factor of all intervals in frugal mode."""
MAX_TIME_SHARE: Final = 0.1
"""The share of the time that reading may take."""
BLOCK_SIZE: Final = 200
"""Ids of one read, which is one command in Redis."""
MAX_TASKS: Final = 25 * BLOCK_SIZE
"""Tasks in one check; if there are more, the checks take turns."""
_IDLE_INTERVAL: Final = 1.0
"""Seconds between two looks at what is due while no task on the screen has to be polled."""
_FIRST_RETRY_DELAY: Final = 1.0
_MAX_RETRY_DELAY: Final = 30.0


class ResultPoller(StoppableThread):
    """Reads the entries of unfinished tasks and hands on the new ones.

    Args:
        push: While it is live, the tasks on the screen are not polled.
        ask_workers: Called with suspect tasks that have not finished according to the backend.
    """

    def __init__(
        self,
        reader: Callable[[], ResultReader],
        open_tasks: OpenTasks,
        push: ResultPush,
        inbox: Inbox,
        ask_workers: Callable[[Sequence[str]], None],
        *,
        frugal: bool = False,
    ) -> None:
        super().__init__("poll")
        self._reader = reader
        self._open_tasks = open_tasks
        self._push = push
        self._inbox = inbox
        self._ask_workers = ask_workers
        self._slower = FRUGAL_FACTOR if frugal else 1.0
        self._seen: dict[str, ResultMeta] = {}
        self._check_from = 0
        self._looked_at = self._checked_at = 0.0
        self._check_cost = 0.0
        self._pause = FIRST_POLL_INTERVAL
        self._not_ours: dict[str, None] = {}
        open_tasks.call_on_request = self._woken.set
        self.tasks_to_check: tuple[str, ...] = ()
        """Suspect tasks, which may no longer run; set by the follower."""
        self.fault: str | None = None
        """Why the last read failed."""

    def wake(self) -> None:
        """Check now whether a read is due."""
        self._pause = FIRST_POLL_INTERVAL
        self._looked_at = 0.0
        self._woken.set()

    def run(self) -> None:
        """Read what is due until stopped."""
        failures = 0
        noted: set[str] = set()
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self._work()
            except Exception as error:  # an unforeseen entry must not end the thread
                fault = _fault(error)
                self.fault = str(fault)
                self._inbox.put(QuestionsFailed("cluster", ("results",), time.time(), fault))
                if self.fault not in noted:
                    noted.add(self.fault)
                    self._inbox.log("warning", "results", f"Progress is unavailable: {self.fault}")
                self._stopping.wait(backoff(failures, _FIRST_RETRY_DELAY, _MAX_RETRY_DELAY))
                failures += 1
            else:
                failures = 0
            if not self._stopping.is_set():  # set before `wake`, which the round may have missed
                self._woken.wait(self._rest())

    def _rest(self) -> float:
        """Return the seconds until there is something to look at, unless it is woken."""
        if self._polls:
            return MIN_POLL_INTERVAL
        if self._open_tasks.watched:
            return _IDLE_INTERVAL  # they are polled as soon as nothing is published
        if self._reader().unavailable is not None and not self.tasks_to_check:
            return CHECK_INTERVAL  # the follower wakes it
        due = self._checked_at + CHECK_INTERVAL * self._slower - time.monotonic()
        return max(_IDLE_INTERVAL, due)

    @property
    def _polls(self) -> bool:
        """Whether tasks on the screen are polled."""
        watched = self._open_tasks.watched and not self._push.live.is_set()
        return bool(watched) and self._reader().unavailable is None

    def _work(self) -> None:
        """Do the reads that are due.

        Raises:
            ResultsError: The backend cannot be read.
        """
        if self._inbox.seconds_since_take() > PAUSE_AFTER:
            return
        reader = self._reader()
        if reader.unavailable is not None:
            if self.tasks_to_check and self._due(self._checked_at, CHECK_INTERVAL):
                self._checked_at = time.monotonic()
                self._ask_workers(self.tasks_to_check)
            return
        unread = self._open_tasks.take_read_requests()
        if unread:
            try:
                self._read(reader, unread[:MAX_TASKS])
            except ResultsError:
                self._open_tasks.request_read(unread)
                raise
            self._open_tasks.request_read(unread[MAX_TASKS:])
        watched = self._open_tasks.watched
        if watched and not self._push.live.is_set() and self._due(self._looked_at, self._pause):
            self._look(reader, tuple(watched))
        if self._due(self._checked_at, max(CHECK_INTERVAL, self._check_cost / MAX_TIME_SHARE)):
            self._checked_at = time.monotonic()
            self._check(reader)
            self._check_cost = time.monotonic() - self._checked_at

    def _due(self, last: float, interval: float) -> bool:
        return time.monotonic() - last >= interval * self._slower

    def _look(self, reader: ResultReader, ids: Sequence[str]) -> None:
        started = time.monotonic()
        moved = self._read(reader, ids[:MAX_TASKS])
        self._looked_at = time.monotonic()
        pause = self._pause / 2 if moved else self._pause * 1.5
        cost = (self._looked_at - started) / MAX_TIME_SHARE
        self._pause = max(min(max(pause, MIN_POLL_INTERVAL), MAX_POLL_INTERVAL), cost)

    def _check(self, reader: ResultReader) -> None:
        """Read the running and suspect tasks, and some of the waiting ones."""
        running = self._open_tasks.running
        self._seen = {id_: meta for id_, meta in self._seen.items() if id_ in self._open_tasks}
        if len(running) > MAX_TASKS:
            self._check_from = (self._check_from + MAX_TASKS) % len(running)
            rotated = running[self._check_from :] + running[: self._check_from]
            running = rotated[:MAX_TASKS]
        # The longest-waiting tasks: these have most likely started without an event.
        tasks_to_check = self.tasks_to_check[:MAX_TASKS]
        waiting = self._open_tasks.waiting[:BLOCK_SIZE] if running or tasks_to_check else ()
        ids = tuple(dict.fromkeys((*tasks_to_check, *running, *waiting)))
        self._read(reader, ids, tasks_to_check)
        self._identify(reader)

    def _read(
        self, reader: ResultReader, ids: Sequence[str], tasks_to_check: Sequence[str] = ()
    ) -> bool:
        """Read entries and hand on the new ones; return whether there were any."""
        moved = False
        open_: list[str] = []
        for start in range(0, len(ids), BLOCK_SIZE):
            if self._stopping.is_set():
                return False
            block = ids[start : start + BLOCK_SIZE]
            found = reader.read(block)
            suspect = [id_ for id_ in block if id_ in tasks_to_check]
            missing = tuple(id_ for id_ in suspect if id_ not in found)
            open_ += [id_ for id_ in suspect if id_ not in found or not found[id_].ready]
            new = tuple(
                meta
                for id_, meta in found.items()
                # A final entry is handed on as long as the task counts as running.
                if meta.ready or id_ in suspect or self._seen.get(id_) != meta
            )
            moved |= bool(new)
            if new or missing:
                self._seen.update((meta.id, meta) for meta in new if not meta.ready)
                # One block at a time: the results may be too large to keep them all in memory.
                self._inbox.put(ResultsRead(new, time.time(), "poll", missing))
        if self.fault is not None:
            self.fault = None
            self._inbox.put(QuestionsAnswered(("results",), time.time()))
        if open_:
            self._ask_workers(open_)
        return moved

    def _identify(self, reader: ResultReader) -> None:
        """Find out whether unknown tasks that report progress belong to this cluster.

        Channels are shared by all databases of a server, keys are not. A worker with the solo pool
        sends no events while it works, so its progress arrives before any event of the task.
        """
        unknown = [id_ for id_ in tuple(self._push.unknown) if id_ not in self._not_ours]
        self._push.unknown.clear()
        if not unknown:
            return
        found = reader.read(unknown[:BLOCK_SIZE])
        for id_ in unknown[:BLOCK_SIZE]:
            if id_ not in found:
                self._not_ours[id_] = None
            elif not found[id_].ready:
                self._open_tasks.mark_running(id_)
        while len(self._not_ours) > 10 * BLOCK_SIZE:
            del self._not_ours[next(iter(self._not_ours))]
        ended_too = self._push.include_unknown
        if ours := tuple(meta for meta in found.values() if ended_too or not meta.ready):
            self._inbox.put(ResultsRead(ours, time.time(), "poll"))


def _fault(error: Exception) -> Fault:
    if isinstance(error, ResultsError):
        return error.fault
    # The text of an unforeseen error may contain a password.
    return Fault("results", f"cannot read the results ({type(error).__name__})", "")
