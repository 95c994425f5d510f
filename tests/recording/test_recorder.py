"""What is recorded is on the disk soon, within bounds, and readable by its owner only."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import LogMessage
from celtop.recording import recorder as module
from celtop.recording.compression import zstd_module
from celtop.recording.header import SCHEMA, Header
from celtop.recording.reader import Recording
from celtop.recording.recorder import Recorder
from celtop.tests.servers import until

HEADER = Header(SCHEMA, "0.1.0", "redis://h/0", 100.0, 0)


@pytest.fixture(autouse=True)
def _write_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_INTERVAL", 0.01)


def recorder(path: Path, max_bytes: int = 1 << 20) -> Recorder:
    return Recorder(path, HEADER, Redaction(), max_bytes)


def note(number: int) -> LogMessage:
    return LogMessage("info", "test", f"note {number} {os.urandom(50).hex()}", 100.0 + number)


needs_zstd = pytest.mark.skipif(zstd_module() is None, reason="zstd is not installed")


@pytest.mark.parametrize("name", ["r.jsonl", "r.gz", "r", pytest.param("r.zst", marks=needs_zstd)])
def test_each_block_can_be_read_before_the_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    recording = recorder(path)
    recording.start()
    assert path.stat().st_mode & 0o777 == 0o600
    first = note(1)
    recording.put(101.0, first)
    until(lambda: recording.records == 1)
    # As after `kill -9`.
    read = Recording(path)
    assert [record.observation for record in read.records()] == [first]
    assert read.damage is not None and "ends too early" in read.damage
    recording.put(102.0, None)
    recording.stop(103.0)
    assert [record.kind for record in read.records()] == ["log", "tick", "end"]
    assert read.damage is None
    assert recording.fault is None


def test_it_ends_at_its_size_and_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "r.gz"
    recording = recorder(path, 100_000)
    recording.start()
    for number in range(5_000):
        recording.put(100.0 + number, note(number))
    until(lambda: recording.ended)
    recording.stop(6000.0)
    assert recording.is_full and recording.fault is None
    assert path.stat().st_size < 400_000
    read = Recording(path)
    kinds = [record.kind for record in read.records()]
    assert read.damage is None
    assert kinds.count("log") == recording.records > 100


def test_a_full_disk_ends_it_and_what_was_written_can_be_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.gz"
    recording = recorder(path)
    recording.start()
    recording.put(101.0, note(1))
    until(lambda: recording.records == 1)

    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    recording.put(102.0, note(2))
    until(lambda: recording.ended)
    monkeypatch.undo()
    recording.stop(103.0)
    assert recording.fault == "No space left on device"
    recording.put(104.0, note(3))
    assert len(list(Recording(path).records())) == 1


def test_a_disk_that_was_full_at_the_start_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="full"):
        recorder(tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_or_link_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("precious")
    for name in ("link", "file"):
        with pytest.raises(FileExistsError):
            recorder(tmp_path / name)
    assert (tmp_path / "file").read_text() == "precious"
