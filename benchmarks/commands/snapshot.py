"""The cost of one `celtop snapshot` beside Celery's shortest command."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..lines import Reading
from ..load import server
from ..load.worker import worker
from ..subjects.programs import environment

BIN = Path(sys.executable).parent


def measure(wanted: frozenset[str], quick: bool) -> list[Reading]:
    """Line `snapshot`."""
    with (
        server.running() as url,
        worker(url),
        tempfile.TemporaryDirectory(prefix="celtop-bench-") as folder,
    ):
        commands: dict[str, Sequence[str]] = {
            "ping": (str(BIN / "celery"), "-b", url, "inspect", "ping"),
            "snapshot": (sys.executable, "-m", "celtop", "-b", url, "snapshot", "--format", "json"),
        }
        # The program is compiled before it is measured, as an installed one is.
        environ = {**environment(Path(folder)), "PYTHONPYCACHEPREFIX": folder}
        for command in commands.values():
            _cpu_seconds(command, environ)
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(3 if quick else 9):
            for name, command in commands.items():
                seconds[name].append(_cpu_seconds(command, environ))
    ping, snapshot = (min(seconds[name]) for name in ("ping", "snapshot"))
    note = f"{snapshot:.2f} s of CPU; celery inspect ping {ping:.2f} s"
    return [Reading("snapshot", "celtop", snapshot / ping, note, {**seconds})]


def _cpu_seconds(command: Sequence[str], environ: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
