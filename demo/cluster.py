"""Starts and stops the demo cluster: a context manager that leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .server import find_server

SUPERVISOR: Final = "celtop.demo.supervisor"
STOP_TIMEOUT: Final = 5.0
"""Seconds for the supervisor to end all processes before it is killed."""


class DemoFailed(Exception):
    """The demo cluster did not start; the message has the path of the logs."""


class DemoCluster:
    """A broker, workers and a producer in their own processes, for a `with` statement."""

    def __init__(self, seed: int, environ: Mapping[str, str]) -> None:
        """Find a broker to run.

        Args:
            seed: Determines the tasks and their order.
            environ: The caller's environment; variables that configure Celery are not passed on.

        Raises:
            NoServer: No broker is installed.
        """
        self.seed = seed
        self.environ = environ
        self.binary = find_server(environ)
        self.url = ""
        self.logs: Path | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DemoCluster:
        """Start the cluster; return when the broker responds, while the workers are starting.

        Raises:
            DemoFailed: It did not start.
        """
        command = [sys.executable, "-P", "-m", SUPERVISOR, self.binary, str(self.seed)]
        # A session of its own: a ctrl-c in the terminal is for celtop alone.
        self._supervisor = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(self.environ),
            start_new_session=True,
        )
        try:
            answer = self._first_line(self._supervisor)
        except BaseException:
            self.close()
            raise
        if error := answer.get("error"):
            self.close()
            raise DemoFailed(error)
        self.url, self.logs = answer["url"], Path(answer["logs"])
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the supervisor is running."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def close(self) -> None:
        """End all processes and wait for them. Safe to call twice."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        try:
            supervisor.communicate(timeout=STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()

    @staticmethod
    def _first_line(supervisor: subprocess.Popen[bytes]) -> dict[str, Any]:
        assert supervisor.stdout is not None
        line = supervisor.stdout.readline()
        if not line:
            raise DemoFailed(f"the demo exited immediately with code {supervisor.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer
