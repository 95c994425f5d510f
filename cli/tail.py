"""The printing of events: from what a session applies to its model, to lines on stdout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import astuple

from ..export.encoding.ansi import coloured
from ..export.encoding.csv import encode_rows
from ..export.encoding.json import escape
from ..export.encoding.tables import cut, plain
from ..export.events import EventRecord, event_line, event_of, event_record, task_after
from ..model.entities.clock_skew import Moment
from ..model.observations import EventsDropped, HistoryRead, Observation
from ..model.query.language import Query
from ..model.state import ClusterState
from ..model.wire.events import Event, EventBatch
from .output import stderr
from .output.stdout import has_colours, is_terminal, output_size, write

HEARTBEAT: Final = "worker-heartbeat"
MAX_BUFFERED: Final = 1 << 16
"""Bytes that are written at once while events arrive faster than they are printed."""


class Tail:
    """Prints the events that a session applies to its model: give its `take` to `Session.tap`.

    Args:
        state: The model.
        query: The filter of tasks; None prints all events but heartbeats.
        count: After how many events to end.
        format_name: `text`, `ndjson` or `csv`.
        utc: Whether times in text are in UTC.
    """

    def __init__(
        self,
        state: ClusterState,
        query: Query | None,
        count: int | None,
        *,
        format_name: str,
        utc: bool,
    ) -> None:
        self._state = state
        self._query = query
        self._left = count
        self._format = format_name
        self._utc = utc
        self._buffer = bytearray()
        if format_name == "csv":
            self._buffer += encode_rows([EventRecord.__struct_fields__])
        self._open = True

    @property
    def over(self) -> bool:
        """Whether all events were printed, or nothing reads them any longer."""
        return not self._open or self._left == 0

    def take(self, now: float, observation: Observation | None) -> None:
        """Print the events among the observations; call it after they were applied."""
        if isinstance(observation, EventsDropped):
            self.write()
            stderr.echo(f"{observation.others:,} events were lost: they arrived too fast")
        if not isinstance(observation, EventBatch):
            return
        self._print(observation.events, now)

    def take_stored(self, now: float, observation: Observation | None) -> None:
        """Print what a collector has stored among the observations, as events of tasks.

        It stores tasks when they have ended, or have been running for some seconds.
        """
        if isinstance(observation, HistoryRead) and observation.live:
            self._print(map(event_of, observation.tasks), now)

    def _print(self, events: Iterable[Event], now: float) -> None:
        moment = Moment(now, self._state.skews)
        for event in events:
            if self.over:
                return
            if event.type != HEARTBEAT and self._matches(event, moment):
                self._buffer += self._encoded(event)
                if self._left is not None:
                    self._left -= 1
        if len(self._buffer) >= MAX_BUFFERED:
            self.write()

    def write(self) -> bool:
        """Write what was printed since the last call; return whether this was all.

        Raises:
            CommandError: stdout cannot be written.
        """
        if self._buffer:
            self._open = write(bytes(self._buffer))
            self._buffer.clear()
        return self.over

    def _matches(self, event: Event, now: float) -> bool:
        if self._query is None:
            return True
        known = event.uuid in self._state.tasks
        return known and self._query.matches(task_after(event, self._state), now)

    def _encoded(self, event: Event) -> bytes:
        record = event_record(event, self._state)
        if self._format == "ndjson":
            return escape(msgspec.json.encode(record)) + b"\n"
        if self._format == "csv":
            return encode_rows([astuple(record)])
        line = event_line(event, record, self._state, utc=self._utc)
        if is_terminal():
            line = cut(line, output_size().columns)
        shown = coloured(line) if has_colours() else plain(line)
        return f"{shown}\n".encode(errors="backslashreplace")
