"""Forked commands do what those of a new interpreter do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from celtop.tests import preloaded
from celtop.tests.servers import clean_environment, until

CELTOP = (sys.executable, "-m", "celtop")
CONFIG = """
timezone = "utc"
[clusters.one]
broker_url = "redis://h/1"
"""


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (("--version",), None, 0),
        (("nonsense",), None, 2),
        (("revoke", "-", "--yes", "-b", "redis://127.0.0.1:1/0"), "one\ntwo\n", 3),
        (("config", "show", "--config", "own.toml", "--format", "json"), None, 0),
    ],
)
def test_it_is_as_in_a_new_interpreter(
    arguments: tuple[str, ...], stdin: str | None, code: int, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(CONFIG)
    command = (*CELTOP, *arguments)
    env = clean_environment(TZ="Asia/Tokyo", CELTOP_READ_ONLY="1")
    assert preloaded.is_preloaded(command, env)
    forked = preloaded.run(command, env=env, cwd=tmp_path, input=stdin)
    new = subprocess.run(
        command, input=stdin or "", capture_output=True, text=True, env=env, cwd=tmp_path
    )
    assert (forked.returncode, forked.stdout, forked.stderr) == (code, new.stdout, new.stderr)
    assert new.returncode == code


def test_a_signal_ends_it(tmp_path: Path) -> None:
    with tempfile.TemporaryFile() as file:
        command = (*CELTOP, "-b", "redis://127.0.0.1:1/0", "watch", "some-id")
        streams = (file.fileno(),) * 3
        process = preloaded.ForkedProcess(command, clean_environment(), tmp_path, streams)
        assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == process.poll() == -signal.SIGKILL
        process.send_signal(signal.SIGKILL)
        until(lambda: not Path(f"/proc/{process.pid}").exists())


def test_what_the_interpreter_reads_needs_a_new_one() -> None:
    assert not preloaded.is_preloaded(CELTOP, clean_environment(LC_ALL="POSIX"))
    assert not preloaded.is_preloaded((sys.executable, "-c", "pass"), clean_environment())
    assert not preloaded.is_preloaded(("redis-server",), clean_environment())
