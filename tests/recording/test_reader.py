"""Recordings that are damaged, or were made to do harm."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import msgspec
import pytest
from celtop.model.records.record import END, TICK, encode_mark
from celtop.recording.header import SCHEMA, Header
from celtop.recording.reader import InvalidRecording, Recording

HEADER = msgspec.json.encode(Header(SCHEMA, "0.1.0", "redis://h/0", 100.0, 0)) + b"\n"
TICKS = [encode_mark(100.0 + number, TICK) for number in range(1000)]
WHOLE = HEADER + b"".join(TICKS) + encode_mark(1100.0, END)


def recording(folder: Path, content: bytes) -> Recording:
    path = folder / "r"
    path.write_bytes(content)
    return Recording(path)


@pytest.mark.parametrize("packed", [False, True])
def test_a_whole_recording_is_read_again_and_again(tmp_path: Path, packed: bool) -> None:
    read = recording(tmp_path, gzip.compress(WHOLE) if packed else WHOLE)
    assert read.header.cluster == "redis://h/0"
    for _ in range(2):
        assert len(list(read.records())) == 1001
        assert read.damage is None
    assert max(read.times()) == 1100.0


@pytest.mark.parametrize("packed", [False, True])
def test_a_truncated_recording_is_read_up_to_there(tmp_path: Path, packed: bool) -> None:
    whole = gzip.compress(WHOLE) if packed else WHOLE
    read = recording(tmp_path, whole[: len(whole) // 2])
    assert 100 < len(list(read.records())) < 1000
    assert read.damage is not None and "ends too early" in read.damage


def test_a_damaged_record_ends_it_with_the_line(tmp_path: Path) -> None:
    read = recording(tmp_path, HEADER + TICKS[0] + b"{broken\n" + TICKS[1])
    assert len(list(read.records())) == 1
    assert read.damage is not None and read.damage.startswith("line 3 is invalid")


def test_damaged_compression_ends_it(tmp_path: Path) -> None:
    packed = gzip.compress(WHOLE)
    half = len(packed) // 2
    read = recording(tmp_path, packed[:half] + b"\x00\xff" * half)
    assert 100 < len(list(read.records())) < 1000
    assert read.damage


def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.recording.reader.MAX_LINE_BYTES", 1 << 20)
    bomb = gzip.compress(HEADER + b" " * (64 << 20))
    assert len(bomb) < 100_000
    read = recording(tmp_path, bomb)
    assert list(read.records()) == []
    assert read.damage == "a line has more than 1 MiB"


@pytest.mark.parametrize(
    "content, why",
    [
        (b"", "not a recording"),
        (b"hello\n", "not a recording"),
        (b"\x1f\x8bxx", "corrupt"),
        (b"[" * 200_000 + b"\n", "not a recording"),
        (b"x" * (2 << 20), "more than 1 MiB"),
        (HEADER.replace(b"recording/1", b"recording/9"), "its schema is celtop.recording/9"),
        (HEADER.replace(b"100.0", b"1e200"), "out of range"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(InvalidRecording, match=why):
        recording(tmp_path, content)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(InvalidRecording, match="not a regular file"):
            Recording(path)
    with pytest.raises(InvalidRecording, match="No such file"):
        Recording(tmp_path / "missing")
