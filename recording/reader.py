"""Reads recordings, also those that end too early, are damaged or were forged."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from ..model.records.record import END, InvalidRecord, Record, decode_record
from ..model.text.coerce import MAX_TIMESTAMP
from ..model.text.sanitize import visible
from .compression import Unreadable, decompressed
from .header import SCHEMA, Header

MAX_LINE_BYTES: Final = 32 << 20
"""The longest record that is read."""
MAX_HEADER_BYTES: Final = 1 << 20


class InvalidRecording(ValueError):
    """A file is not a recording; the text states why."""


class Recording:
    """A recording in a file, which can be read several times.

    Raises:
        InvalidRecording: The file cannot be read, or has no header.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        """Why the rest could not be read, as of the last reading; None if it is complete."""
        with self._open() as file:
            lines = self._lines(file, MAX_HEADER_BYTES)
            try:
                first = next(lines, b"")
            except Unreadable as error:
                raise self._invalid(str(error)) from None
        self.header = self._header(first)

    def records(self, skipped: int = 0) -> Iterator[Record]:
        """Yield the records after so many, up to the end or the damage."""
        self.damage = None
        number = 1
        try:
            with self._open() as file:
                lines = self._lines(file, MAX_LINE_BYTES)
                next(lines, None)
                for line in lines:
                    number += 1
                    if number <= skipped + 1:
                        continue
                    record = decode_record(line)
                    yield record
                    if record.kind == END:
                        return
            self.damage = "it ends too early: the recording was interrupted"
        except (Unreadable, OSError) as error:
            self.damage = str(error)
        except InvalidRecord as error:
            self.damage = f"line {number} is invalid: {error}"

    def times(self) -> Iterator[float]:
        """Yield the times of all records, without decoding these; it ends at a damage."""
        try:
            with self._open() as file:
                lines = self._lines(file, MAX_LINE_BYTES)
                next(lines, None)
                for line in lines:
                    yield _time_of(line)
        except (Unreadable, OSError, ValueError):
            return

    def _open(self) -> IO[bytes]:
        try:
            # Opening a named pipe would otherwise wait for a writer forever.
            handle = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise self._invalid("it is not a regular file")
            return os.fdopen(handle, "rb")
        except OSError as error:
            raise self._invalid(error.strerror or str(error)) from None

    def _lines(self, file: IO[bytes], limit: int) -> Iterator[bytes]:
        """Yield complete lines; a part of one at the end was being written."""
        rest = bytearray()
        for piece in decompressed(file):
            begin = len(rest)
            rest += piece
            start = 0
            while (end := rest.find(b"\n", max(start, begin))) >= 0:
                yield bytes(rest[start:end])
                start = begin = end + 1
            del rest[:start]
            if len(rest) > limit:
                raise Unreadable(f"a line has more than {limit >> 20:,} MiB")

    def _header(self, line: bytes) -> Header:
        try:
            header = msgspec.json.decode(line, type=Header)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise self._invalid("it is not a recording") from None
        if header.schema != SCHEMA:
            schema = visible(header.schema, 40)
            raise self._invalid(f"its schema is {schema}; this version reads {SCHEMA}")
        if not 0 <= header.started_at <= MAX_TIMESTAMP:
            raise self._invalid("its start is out of range")
        return header

    def _invalid(self, why: str) -> InvalidRecording:
        return InvalidRecording(f"Cannot replay {self.path}: {why}")


def _time_of(line: bytes) -> float:
    """Return the time of a record that was written by `encode_record`."""
    begin = b'{"at":'
    if not line.startswith(begin):
        return decode_record(line).at
    return float(line[len(begin) : line.index(b",", len(begin))])
