"""The command line as scripts use it: a process, its output and its exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from celtop.tests import preloaded
from celtop.tests.servers import clean_environment

CELTOP = (sys.executable, "-m", "celtop")


def celtop(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `celtop` to its end, without a terminal and without a config file."""
    environment = clean_environment(XDG_CONFIG_HOME="/nonexistent", **(env or {}))
    return preloaded.run((*CELTOP, *arguments), env=environment, cwd=cwd)


def error_text(ended: subprocess.CompletedProcess[str], code: int) -> str:
    """Return stderr of a command that must fail with `code` and a message, without a traceback."""
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert all(line.startswith("celtop: ") for line in ended.stderr.splitlines())
    return ended.stderr
