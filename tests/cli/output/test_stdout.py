"""stdout: whether anything still reads it, and when a file is stdout itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from celtop.cli.output.stdout import is_abandoned, write


def test_a_pipe_is_abandoned_once_its_reader_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert not is_abandoned()
        os.close(reading)
        assert is_abandoned()


def test_a_file_or_nothing_is_not_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "out").open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert not is_abandoned()
    assert not is_abandoned(), "closed"
    monkeypatch.setattr(sys, "stdout", None)
    assert not is_abandoned()


def test_stdout_named_as_a_file_is_written_to_and_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, `--output /dev/stdout > FILE` would replace the link in /dev."""
    file, named = tmp_path / "out", tmp_path / "stdout"
    file.write_bytes(b"before\n")
    named.symlink_to(file)
    with file.open("a") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert write(b"data\n", named)
        assert write(b"more\n", Path("-"))
    assert file.read_bytes() == b"before\ndata\nmore\n"
    assert named.is_symlink()
