"""Where celtop keeps its files, and that a file is never seen half written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from celtop.files.files import config_file, read_file, replace_file, state_folder


def test_the_folders_follow_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/xdg")
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert config_file() == Path("/etc/xdg/celtop/config.toml")
    assert state_folder() == Path("/var/state/celtop")


def test_without_xdg_the_folders_are_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/nowhere/ann")
    assert config_file() == Path("/nowhere/ann/.config/celtop/config.toml")
    assert state_folder() == Path("/nowhere/ann/.local/state/celtop")


def test_a_file_becomes_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    replace_file(path, b"one")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"one", 0o600)
    path.chmod(0o644)
    replace_file(path, b"two")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"two", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "saved.json"
    replace_file(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "repository" / "saved.json", tmp_path / "saved.json"
    target.parent.mkdir()
    link.symlink_to(target)
    replace_file(link, b"one")
    replace_file(link, b"two")
    assert link.is_symlink()
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a link of another user")
def test_a_link_of_another_user_is_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "precious", tmp_path / "saved.json"
    target.write_bytes(b"old")
    link.symlink_to(target)
    os.lchown(link, 12_345, 12_345)
    replace_file(link, b"new")
    assert target.read_bytes() == b"old"
    assert (link.read_bytes(), link.is_symlink()) == (b"new", False)


def test_a_link_to_itself_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "loop"
    link.symlink_to(link)
    replace_file(link, b"new")
    assert link.read_bytes() == b"new"


def test_a_device_is_written_to(tmp_path: Path) -> None:
    replace_file(Path(os.devnull), b"gone")
    assert not Path(os.devnull).is_file()


def test_a_pipe_is_read_to_its_end_and_never_waited_for_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celtop.files.files.PIPE_TIMEOUT", 0.1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(TimeoutError):
        read_file(pipe)
    writer = os.open(pipe, os.O_RDWR)
    os.write(writer, b"half")
    with pytest.raises(TimeoutError):
        read_file(pipe)
    os.close(writer)
    ours, theirs = os.pipe()
    os.write(theirs, b"whole")
    os.close(theirs)
    assert read_file(Path(f"/dev/fd/{ours}")) == b"whole"
    os.close(ours)


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/nowhere"])
def test_what_cannot_be_read_is_an_error(path: str) -> None:
    with pytest.raises(OSError, match=r"more than|directory"):
        read_file(Path(path), 1_000)


def test_a_pipe_that_nothing_reads_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        replace_file(tmp_path / "pipe", b"x")
