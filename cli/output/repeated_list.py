"""A list that `--watch` repeats: drawn over the last one on a terminal, below it elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..session import ConnectionReports, pump_until
from .document import encoded
from .stdout import has_colours, is_terminal, output_size, write

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...export.encoding.document import Document

MIN_ROWS: Final = 3
"""Rows that are drawn on any terminal."""
OTHER_LINES: Final = 4
"""Lines of a terminal besides: the header, the count of more rows, the status, and the cursor's."""
TAKEN_AT: Final = "taken_at"
"""The first column of repeated CSV."""


class RepeatedList:
    """Writes one document after the other.

    Args:
        format_name: The format, one that can be repeated unless there is a file.
        output: The file that is replaced each time; None for stdout.
        interval: Seconds between two documents.
        whole: Whether a text that no terminal shows is not fitted into a width.
        utc: Whether the time in the status line is in UTC.
    """

    def __init__(
        self, format_name: str, output: Path | None, interval: float, *, whole: bool, utc: bool
    ) -> None:
        self._format = format_name
        self._output = output
        self._interval = interval
        self._whole = whole
        self._utc = utc
        self._drawn = output is None and is_terminal()
        self.redrawn = self._drawn and format_name == "text"
        """Whether each document is drawn over the last one."""
        self.shows_source = self.redrawn or format_name == "json"
        """Whether a document shows the state of its source."""
        self._header = b""

    def room(self, limit: int | None) -> int | None:
        """Return how many rows are written, given the limit of the user."""
        if not self.redrawn:
            return limit
        room = max(MIN_ROWS, output_size().lines - OTHER_LINES)
        return room if limit is None else min(limit, room)

    def write(self, document: Document, matching: int, source: str, now: float) -> bool:
        """Write a document; return whether more can be written.

        Args:
            document: The document.
            matching: How many rows match the filter, with those that are not written.
            source: The source of the rows and its state: `broker live`.
            now: Epoch seconds.
        """
        if self._format == "csv" and self._output is None:
            document = _with_time(document, now)
        data = encoded(document, self._format, drawn=self._drawn, whole=self._whole)
        if self._format == "csv" and self._output is None:
            header, end, rows = data.partition(b"\r\n")
            # The columns of a list may change with the tasks in it.
            data = rows if header == self._header else header + end + rows
            self._header = header
        elif self.redrawn:
            data = over_last(data + self._status(matching, source, now))
        return write(data, self._output)

    def _status(self, matching: int, source: str, now: float) -> bytes:
        """Return the dim line below a list on a terminal."""
        from ...export.encoding.tables import fit
        from ...model.text import units

        zone = UTC if self._utc else None
        next_at = units.clock(now + self._interval, zone)
        text = f"{units.clock(now, zone)}  {matching:,} matching  next at {next_at}  {source}"
        shown = fit(text, output_size().columns - 1).rstrip()
        return (f"\x1b[2m{shown}\x1b[0m\n" if has_colours() else f"{shown}\n").encode()


def _with_time(document: Document, now: float) -> Document:
    """Return a document whose rows begin with its time."""
    from ...model.text.units import iso

    return replace(
        document,
        draw=lambda: [
            replace(
                table,
                fields=(TAKEN_AT, *table.fields),
                values=[(iso(now), *row) for row in table.values],
            )
            for table in document.tables
        ],
    )


def over_last(text: bytes) -> bytes:
    """Return a text so that a terminal draws it from its first line on, over an earlier one."""
    return b"\x1b[H" + text.replace(b"\n", b"\x1b[K\n") + b"\x1b[J"


def watched(session: Session, interval: float, *, silent: bool) -> Iterator[str]:
    """Yield the state of the broker at once and after each interval.

    Observations are applied meanwhile. A lost connection is reported on stderr, unless `silent`,
    and does not end it: the session connects again as soon as it can.
    """
    broker, report_connection = session.state.broker, ConnectionReports(session)
    while True:
        problem = f": {broker.fault.problem}" if broker.fault is not None else ""
        yield f"broker {broker.phase}{problem}"
        deadline = time.monotonic() + interval
        while (left := deadline - time.monotonic()) > 0:
            pump_until(session, min(1.0, left), lambda: False)
            if not silent:
                report_connection()
