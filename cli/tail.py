"""The printing of events: from what a session applies to its model, to lines on stdout."""

from __future__ import annotations

from typing import Final

import msgspec

from ..export.encoding.ansi import coloured
from ..export.encoding.json import escape
from ..export.encoding.tables import cut, plain
from ..export.events import event_line, event_record, task_after
from ..model.entities.clock_skew import Moment
from ..model.observations import EventsDropped, Observation
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
        text: Whether to print text, otherwise NDJSON.
        utc: Whether times in text are in UTC.
    """

    def __init__(
        self, state: ClusterState, query: Query | None, count: int | None, *, text: bool, utc: bool
    ) -> None:
        self._state = state
        self._query = query
        self._left = count
        self._text = text
        self._utc = utc
        self._buffer = bytearray()
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
        moment = Moment(now, self._state.skews)
        for event in observation.events:
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
        if not self._text:
            return escape(msgspec.json.encode(record)) + b"\n"
        line = event_line(event, record, self._state, utc=self._utc)
        if is_terminal():
            line = cut(line, output_size().columns)
        shown = coloured(line) if has_colours() else plain(line)
        return f"{shown}\n".encode(errors="backslashreplace")
