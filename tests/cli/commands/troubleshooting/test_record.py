"""`celtop record` and `celtop replay --snapshot`: the replay ends as the live run did."""

from __future__ import annotations

import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest
from celtop.cli.main import run
from celtop.tests.cli.conftest import CELTOP, celtop, error_text
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import clean_environment, free_port, until


def test_a_replay_ends_in_the_snapshot_of_the_live_run(
    redis_url: str, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(redis_url, name="seen")
    file, live = tmp_path / "r.gz", tmp_path / "live.json"
    arguments = ("record", str(file), "--for", "2s", "--snapshot", str(live))
    ended = celtop("-b", redis_url, *arguments)
    assert ended.returncode == 0, ended.stderr
    assert "Replay it with: celtop replay" in ended.stderr
    replayed = celtop("replay", str(file), "--snapshot", "--format", "json")
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert replayed.stdout == live.read_text()
    assert worker.name in replayed.stdout
    again = error_text(celtop("-b", redis_url, "record", str(file)), 2)
    assert "exists; choose another name, or add --overwrite" in again


def test_a_recording_is_not_replaced_by_none(tmp_path: Path) -> None:
    file = tmp_path / "incident.jsonl"
    file.write_text("before")
    url = f"redis://127.0.0.1:{free_port()}/0"
    ended = celtop("-b", url, "record", str(file), "--overwrite", "--for", "1s")
    assert "Cannot use the broker" in error_text(ended, 3)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(file.name, "before")]


def _has_ticks(file: Path) -> bool:
    return file.exists() and file.read_bytes().count(b'"tick"') > 1


def test_ctrl_c_ends_a_recording_and_kill_9_leaves_one(redis_url: str, tmp_path: Path) -> None:
    for number, incomplete in ((signal.SIGINT, False), (signal.SIGKILL, True)):
        file = tmp_path / f"{number}.jsonl"
        running = subprocess.Popen(
            (*CELTOP, "-b", redis_url, "record", str(file)),
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(XDG_CONFIG_HOME="/nonexistent"),
        )
        with running:
            until(partial(_has_ticks, file))
            running.send_signal(number)
            assert running.wait(20) == (-number if incomplete else 0)
        replayed = celtop("replay", str(file), "--snapshot")
        assert replayed.returncode == 0
        assert "live" in replayed.stdout
        assert ("it ends too early" in replayed.stderr) is incomplete


def test_nothing_is_left_of_a_recording_without_a_broker(tmp_path: Path) -> None:
    file = tmp_path / "r.gz"
    assert run(["-b", "redis://127.0.0.1:1/no-number", "record", str(file)]) == 2
    assert not file.exists()


def test_a_file_that_is_no_recording_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.gz").write_text("hello")
    assert run(["replay", str(tmp_path / "r.gz"), "--snapshot"]) == 2
    error = capsys.readouterr().err
    assert error == f"celtop: Cannot replay {tmp_path}/r.gz: it is not a recording\n"
