"""Reads the schedule from all its sources, again and again, in a thread of its own.

Nothing is read before a screen or a command asks for the schedule: reading it costs a process for
the app of `-A`, or some commands to Redis.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...model.entities.fault import Fault
from ...model.entities.schedule import ScheduleSource
from ...model.observations import ScheduleRead
from ...model.text.masking import MASK
from ...settings import Settings
from ..app_child import AppChild, ChildFailed
from ..app_probe import LOAD_TIMEOUT
from ..connection.broker import BrokerConnection, hide
from ..connection.faults.errors import explain
from ..events.receiver import Receiver
from ..inbox import Inbox
from ..polling.poller import PAUSE_AFTER, ScreenInterest
from ..stoppable_thread import StoppableThread
from . import app_process
from .beat_file import UnreadableFile, read_file
from .beat_schedule import entries as entries_of
from .raw import RawEntry, entry_of, zone_of
from .redbeat import PREFIX, RedBeatReader

if TYPE_CHECKING:
    from kombu.connection import Connection

INTERVAL: Final = 60.0
"""Seconds between two rounds, often enough for findings."""
SHOWN_INTERVAL: Final = 10.0
"""Seconds between two rounds while a screen shows the schedule."""
CONNECTED_DELAY: Final = 2.0
"""Seconds to wait for the connection before a round that was asked for."""
FIRST_DELAY: Final = 5.0
"""Seconds before the first round, unless a screen or a command waits for it."""
ABSENT_ROUNDS: Final = 10
"""Rounds after which it is checked again whether RedBeat is used."""
_MAX_REASON: Final = 300
_IDLE: Final = 0.5


class ScheduleReader(StoppableThread):
    """Puts a `ScheduleRead` for each source into the inbox, once it is `wanted`."""

    def __init__(
        self,
        settings: Settings,
        broker: BrokerConnection,
        inbox: Inbox,
        receiver: Receiver,
        interest: ScreenInterest,
    ) -> None:
        super().__init__("schedule")
        self.wanted = False
        """Whether to read at all."""
        self.conf: Mapping[str, Any] | None = None
        """The settings of a worker; None if none has reported them."""
        self._settings = settings
        self._broker = broker
        self._inbox = inbox
        self._receiver = receiver
        self._interest = interest
        self._waiting: list[Future[None]] = []
        self._lock = threading.Lock()
        self._child_lock = threading.Lock()
        self._child: AppChild | None = None
        self._app: dict[str, Any] | None = None
        self._present: set[ScheduleSource] = set()
        self._rounds = 0
        self._check_redbeat = 0
        self._redbeat: RedBeatReader | None = None
        self._redbeat_broker: BrokerConnection | None = None
        self._connection: Connection | None = None

    def read(self) -> Future[None]:
        """Read all sources now; the future ends when they were read, or could not be."""
        found: Future[None] = Future()
        with self._lock:
            self._waiting.append(found)
        self.wanted = not self._interest.collected
        self._woken.set()
        return found

    def wake(self) -> None:
        """Read all sources now if anything wants them."""
        self._woken.set()

    def switch(self, names: Sequence[str], enabled: bool) -> Sequence[str]:
        """Enable or disable entries of django-celery-beat; return those that were changed.

        Only `cluster/control.py` may have this called.

        Raises:
            ChildFailed: There is no app, or its process failed.
        """
        answer = self._ask({"enable": list(names), "enabled": enabled}, LOAD_TIMEOUT)
        self._woken.set()
        changed: list[str] = answer["changed"]
        return changed

    def stop(self) -> None:
        """Ask the thread to end; the app's process ends now."""
        super().stop()
        if (child := self._child) is not None:
            child.kill()

    def run(self) -> None:
        """Read round by round until stopped."""
        try:
            while not self._stopping.is_set():
                if not self._is_due():
                    self._woken.wait()
                    self._woken.clear()
                elif self._inbox.seconds_since_take() > PAUSE_AFTER:
                    self._stopping.wait(_IDLE)
                else:
                    self._woken.clear()
                    self._read_all()
                    self._woken.wait(self._pause())
        finally:
            self._close()

    def _is_due(self) -> bool:
        """Return whether the schedule is wanted now; shortly after the start it is not."""
        if self._waiting or (self.wanted and self._interest.on("schedule")):
            return True
        if not self.wanted or self._interest.frugal:
            return False
        return not self._woken.wait(FIRST_DELAY) if not self._rounds else True

    def _read_all(self) -> None:
        with self._lock:
            asked, self._waiting = self._waiting, []
        if asked:
            # The connection may be reported a moment before it is marked here.
            self._receiver.live.wait(CONNECTED_DELAY)
        try:
            self._round()
        except Exception as error:  # an unreadable source must not keep the others from being read
            self._inbox.log("error", "schedule", f"Cannot read the schedule: {error!r}")
        for one in asked:
            one.set_result(None)

    def _pause(self) -> float | None:
        """Return the seconds until the next round; None if only a question begins one."""
        shown = self._interest.on("schedule")
        if self._interest.frugal:
            return INTERVAL if shown else None
        return SHOWN_INTERVAL if shown else INTERVAL

    def _round(self) -> None:
        self._rounds += 1
        if self._settings.app is not None:
            self._read_app()
        elif self.conf is not None:
            schedule = self.conf.get("beat_schedule")
            if isinstance(schedule, Mapping) and (schedule or "workers" in self._present):
                self._put("workers", list(entries_of(schedule)))
        if self._settings.beat_schedule_file:
            self._read_file(self._settings.beat_schedule_file)
        if "redbeat" in self._present or self._rounds >= self._check_redbeat:
            self._read_redbeat()

    def _zone(self) -> tzinfo:
        found = self._app["settings"] if self._app is not None else self.conf or {}
        return zone_of(found.get("timezone"), utc=bool(found.get("enable_utc", True)))

    def _put(
        self,
        source: ScheduleSource,
        entries: Iterable[RawEntry],
        left_out: int = 0,
        lock_s: float | None = None,
    ) -> None:
        now, zone = time.time(), self._zone()
        found = tuple(entry_of(one, source, zone, now) for one in entries)
        self._present.add(source)
        self._inbox.put(ScheduleRead(source, now, found, left_out=left_out, lock_s=lock_s))

    def _fail(self, source: ScheduleSource, fault: Fault) -> None:
        self._inbox.put(ScheduleRead(source, time.time(), fault=fault))

    # The app

    def _read_app(self) -> None:
        try:
            if self._app is None or self._app["rows"] is not None:
                self._app = self._ask({"read": True}, LOAD_TIMEOUT)
        except ChildFailed as error:
            reason = " ".join(hide(str(error)).split())[:_MAX_REASON]
            advice = "celtop runs the app in a child process to read its schedule"
            source: ScheduleSource = "app"
            if "django-celery-beat" in self._present:
                source = "django-celery-beat"
            self._fail(source, Fault("app", f"cannot read the schedule: {reason}", advice))
            return
        rows = self._app["rows"]
        if rows is None:
            self._end_child()  # it does not change while the app runs
        else:
            self._put("django-celery-beat", msgspec.convert(rows, list[RawEntry]))
        entries = msgspec.convert(self._app["entries"], list[RawEntry])
        if entries or rows is None:
            self._put("app", entries)

    def _ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        app = self._settings.app
        if app is None:
            raise ChildFailed("no app is named; use -A", answered=True)
        with self._child_lock:
            try:
                if self._child is None:
                    self._child = AppChild(app_process.__name__, app, self._settings.workdir)
                    timeout = max(timeout, LOAD_TIMEOUT)
                answer = self._child.ask(request, timeout)
                if "error" in answer:
                    raise ChildFailed(str(answer["error"]), answered=True)
            except ChildFailed:
                child, self._child = self._child, None
                if child is not None:
                    child.close()
                raise
        return answer

    def _end_child(self) -> None:
        with self._child_lock:
            child, self._child = self._child, None
            if child is not None:
                child.close()

    # Beat's file

    def _read_file(self, path: str) -> None:
        try:
            self._put("file", read_file(path))
        except UnreadableFile as error:
            problem = f"cannot read the schedule file {path}: {error}"
            advice = "It is the file of `celery beat -s`, by default celerybeat-schedule"
            self._fail("file", Fault("file", problem, advice))

    # RedBeat

    def _read_redbeat(self) -> None:
        broker = self._redis()
        if broker is None or not self._receiver.live.is_set():
            return
        try:
            found = self._redbeat_reader().read(self._client(broker))
        except Exception as error:
            self._disconnect()
            # Only a schedule that was there is missed.
            if "redbeat" in self._present:
                self._fail("redbeat", explain(error, broker))
            return
        if found is not None:
            self._put("redbeat", found.entries, found.left_out, found.lock_s)
        elif "redbeat" in self._present:
            self._put("redbeat", ())
        else:
            self._check_redbeat = self._rounds + ABSENT_ROUNDS

    def _setting(self, name: str) -> str | None:
        found = self._app["redbeat"] if self._app is not None else self.conf or {}
        value = found.get(name)
        return value if isinstance(value, str) and value and MASK not in value else None

    def _redbeat_reader(self) -> RedBeatReader:
        if self._redbeat is None:
            prefix = self._setting("redbeat_key_prefix") or PREFIX
            self._redbeat = RedBeatReader(prefix, self._setting("redbeat_lock_key"))
        return self._redbeat

    def _redis(self) -> BrokerConnection | None:
        """Return the Redis that RedBeat uses: its own, else the broker."""
        url = self._setting("redbeat_redis_url")
        if url is None or url == self._settings.broker_url:
            return self._broker if self._broker.is_redis else None
        if self._redbeat_broker is None:
            changes: dict[str, Any] = {
                "broker_url": url,
                "broker_transport_options": {},
                "broker_use_ssl": None,
            }
            self._redbeat_broker = BrokerConnection(self._settings.model_copy(update=changes))
        return self._redbeat_broker if self._redbeat_broker.is_redis else None

    def _client(self, broker: BrokerConnection) -> Any:
        from redis import Redis

        if self._connection is None:
            self._connection = broker.connect()
        # kombu's own client prefixes keys, which RedBeat does not.
        return Redis(connection_pool=self._connection.default_channel.pool)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.collect()

    def _close(self) -> None:
        self._disconnect()
        self._end_child()
        for one in self._waiting:
            one.cancel()
