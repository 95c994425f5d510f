"""Receives the changes that Redis publishes for each task: progress and results."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Final

from ...model.entities.result import ResultMeta
from ...model.observations import ResultsRead
from ..connection.backoff import backoff
from ..connection.redis.channel import MAX_RECEIVE_BYTES, ChannelRefused, RedisChannel
from ..events.open_tasks import OpenTasks
from ..inbox import Inbox
from ..stoppable_thread import StoppableThread
from .backends.base import ResultReader
from .backends.decode import from_payload, too_large
from .result_frames import Payload, ResultFrames

BATCH_WINDOW: Final = 0.1
"""Seconds in which messages collect: of several for one task, only the last is decoded."""
MAX_WINDOW: Final = 0.5
"""The same at most, while they collect until the next frame of the screen."""
FRAME_LEAD: Final = 0.02
"""Seconds before a frame in which messages are decoded and applied, so that it shows them."""
UNSEEN_WINDOW: Final = 1.0
"""The same for tasks that are not on the screen. Decoding and applying a report costs as much as
receiving several."""
CHECK_INTERVAL: Final = 2.0
"""Seconds between two checks of the connection while nothing is received."""
IDLE_INTERVAL: Final = 5.0
"""Seconds between two checks whether there is a result backend to subscribe to; a change of the
configuration ends the wait."""
PING_AFTER: Final = 20.0
"""Seconds without data, while tasks run, before the connection is pinged. Until it responds,
running tasks are polled every few seconds anyway."""
PAUSE_AFTER: Final = 5.0
"""Seconds without a `pump` after which messages are discarded."""
FRUGAL_PING_AFTER: Final = 60.0
"""Seconds without a message before a ping, in frugal mode."""
MAX_UNKNOWN_TASKS: Final = 200
"""Unknown tasks whose ids are kept until they are identified."""
_FIRST_RETRY_DELAY: Final = 0.5
_MAX_RETRY_DELAY: Final = 15.0
_STATUS: Final = re.compile(rb'^\{"status": ?"([^"\\]{1,60})"')


class ResultPush(StoppableThread):
    """Subscribes to a result backend in Redis, and hands on the changes of known tasks.

    Args:
        found_unknown: Called when other tasks change, while `include_unknown` is set.
        next_frame_at: Returns when the screen paints changes at the earliest, monotonic seconds.
    """

    def __init__(
        self,
        reader: Callable[[], ResultReader],
        open_tasks: OpenTasks,
        inbox: Inbox,
        *,
        frugal: bool = False,
        found_unknown: Callable[[], object] = lambda: None,
        next_frame_at: Callable[[], float] = lambda: 0.0,
    ) -> None:
        super().__init__("push")
        self._next_frame_at = next_frame_at
        self._found_unknown = found_unknown
        self._reader = reader
        self._open_tasks = open_tasks
        self._inbox = inbox
        self._silence = FRUGAL_PING_AFTER if frugal else PING_AFTER
        self._refused: tuple[object, ...] | None = None
        self._channel: RedisChannel[ResultFrames] | None = None
        self._unseen_at = 0.0
        self._unseen_bytes = 0
        self.live = threading.Event()
        """Set while every change is received."""
        self.decoded = 0
        """Number of decoded entries."""
        self.received = 0
        """Number of messages received, of any task."""
        self.unknown: dict[str, None] = {}
        """Unknown tasks that report progress; they may be ours, with events that were missed."""
        self.include_unknown = False
        """Whether unknown tasks that have ended are kept as well, because workers send no events;
        set by the follower."""

    def wake(self) -> None:
        """Check now whether there is another result backend."""
        self._woken.set()
        if (channel := self._channel) is not None:
            channel.wake()

    def stop(self) -> None:
        """Ask the thread to end."""
        super().stop()
        self.wake()

    def run(self) -> None:
        """Receive until stopped, reconnecting after each failure."""
        failures = 0
        while not self._stopping.is_set():
            reader = self._reader()
            started = time.monotonic()
            try:
                self._listen(reader)
            except ChannelRefused as reason:
                self._refused = reader.location
                text = f"Progress is polled because Redis refuses the subscription: {reason}"
                self._inbox.log("warning", "results", text)
            except Exception:
                # The poller, which takes over, reports the error.
                failures = 0 if time.monotonic() - started > _MAX_RETRY_DELAY else failures + 1
                self._stopping.wait(backoff(failures, _FIRST_RETRY_DELAY, _MAX_RETRY_DELAY))
            finally:
                self.live.clear()

    def _listen(self, reader: ResultReader) -> None:
        """Receive until stopped, or until there is another result backend.

        Raises:
            Exception: Any error that ended the connection.
        """
        unable = reader.unavailable is not None or reader.location == self._refused
        channel = None if unable else reader.listen(self._open_tasks)
        if channel is None:
            if not self._stopping.is_set():  # set before `wake`
                self._woken.wait(IDLE_INTERVAL)
            self._woken.clear()
            return
        self._channel = channel
        try:
            self.live.set()
            # They may have reported before the subscription.
            self._open_tasks.request_read(self._open_tasks.running)
            while not self._stopping.is_set() and self._reader() is reader:
                unseen = bool(channel.frames.latest)
                taken = channel.receive(UNSEEN_WINDOW / 2 if unseen else CHECK_INTERVAL)
                if self._inbox.seconds_since_take() <= PAUSE_AFTER:
                    self._hand_on(channel, taken)
                elif taken:
                    # Nothing takes results from the inbox; they can be read again later.
                    channel.frames.latest.clear()
                    channel.frames.unknown.clear()
                    self._open_tasks.request_read(self._open_tasks.running)
                if 0 < taken < MAX_RECEIVE_BYTES:
                    # Only after reading, so that a task's first report is shown without delay, and
                    # not while there is more: Redis closes a subscription that is 32 MB behind.
                    self._collect()
                if self._open_tasks.running:
                    channel.check(self._silence)
        finally:
            channel.close()

    def _collect(self) -> None:
        """Wait while messages collect, until the next frame can show the last of each task."""
        self._stopping.wait(BATCH_WINDOW)
        rest = self._next_frame_at() - FRAME_LEAD - time.monotonic()
        if rest > 0:
            self._stopping.wait(min(rest, MAX_WINDOW - BATCH_WINDOW))

    def _hand_on(self, channel: RedisChannel[ResultFrames], taken: int) -> None:
        frames = channel.frames
        unknown, frames.unknown = frames.unknown, {}
        self.received, frames.received = self.received + frames.received, 0
        if unknown and self.include_unknown:
            self._found_unknown()
        for id_, head in unknown.items():
            if len(self.unknown) >= MAX_UNKNOWN_TASKS:
                break
            if self.include_unknown or _reports(head):
                self.unknown[id_] = None
        self._unseen_bytes += taken
        if frames.latest and (latest := self._take_due(frames)):
            metas = tuple(_meta(id_, payload) for id_, payload in latest.items())
            self.decoded += len(metas)
            self._inbox.put(ResultsRead(metas, time.time(), "push"))

    def _take_due(self, frames: ResultFrames) -> dict[str, Payload]:
        """Take the messages to decode: those of tasks on the screen, and at times of all others."""
        latest, now = frames.latest, time.monotonic()
        if self._unseen_at + UNSEEN_WINDOW > now and self._unseen_bytes < MAX_RECEIVE_BYTES:
            return {id_: latest.pop(id_) for id_ in self._open_tasks.watched & latest.keys()}
        self._unseen_at, self._unseen_bytes = now, 0
        frames.latest = {}
        return latest


def _meta(id_: str, payload: Payload) -> ResultMeta:
    if payload.whole:
        return from_payload(id_, payload.data)
    return ResultMeta(id_, _status(payload.data), undecoded=too_large(payload.size))


def _status(head: bytes) -> str | None:
    """Return the state at the beginning of an entry; None if it is not there."""
    found = _STATUS.match(head)
    return found[1].decode(errors="replace") if found else None


def _reports(head: bytes) -> bool:
    """Return whether the beginning of an entry is a progress report."""
    return _status(head) not in (None, "SUCCESS", "FAILURE", "REVOKED", "RETRY")
