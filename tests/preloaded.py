"""Processes of celtop and Celery that need not import them first.

Imports are most of the work of a short command and of a worker's start. One process for each test
process has done them, and forks a new process for each command: with its own arguments,
environment, working directory, standard streams and session, and ended by the interpreter as any
other. A test about imports or Python's own options needs a process of its own instead.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

PROGRAMS: Final = ("celery", "celtop")
"""What can be run: as `python -m` does."""
MODULES: Final = (
    "celery.apps.worker",
    "celery.backends.redis",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.solo",
    "celery.concurrency.thread",
    "celery.events.snapshot",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "kombu.transport.pyamqp",
    "kombu.transport.redis",
    "celtop.cli.main",
    "celtop.cluster.session",
    "celtop.export.formats",
)
PR_SET_PDEATHSIG: Final = 1
MAX_REQUEST_BYTES: Final = 200_000
_INTERPRETER: Final = ("PYTHON", "LANG", "LC_")
"""How the variables begin that the interpreter reads when it starts."""


def is_preloaded(command: Sequence[str], env: Mapping[str, str]) -> bool:
    """Return whether a command can be run by forking, and does the same then."""
    if tuple(command[:2]) != (sys.executable, "-m") or command[2] not in PROGRAMS:
        return False
    return _of_interpreter(env) == _of_interpreter(os.environ)


def _of_interpreter(env: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in env.items()
        if name.startswith(_INTERPRETER) and name != "PYTHONPATH"
    }


class ForkedProcess:
    """A process like `subprocess.Popen`'s: its parent is another one, which reports its end."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: str | Path | None,
        streams: tuple[int, int, int],
    ) -> None:
        """Start `command`, of which `is_preloaded` is true, with these file descriptors."""
        self.args = command
        self.returncode: int | None = None
        self._lock = threading.Lock()
        request = json.dumps([list(command[2:]), dict(env), str(cwd or Path.cwd())]).encode()
        self._answers, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(_server(), [request], [theirs.fileno(), *streams])
        self.pid = int(self._answers.recv(32))

    def poll(self) -> int | None:
        """Return the exit code (negative: a signal's number), or None while the process runs."""
        with self._lock:
            if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
                self.returncode = int(self._answers.recv(32) or -signal.SIGKILL)
                self._answers.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; return the exit code."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(list(self.args), timeout or 0.0)
            with contextlib.suppress(OSError, ValueError):  # closed by another thread's poll
                select.select([self._answers], [], [], 0.1)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | Path | None = None,
    input: str | None = None,  # noqa: A002 (as in `subprocess.run`)
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run a command of `python -m` to its end, with its output captured; see `subprocess.run`."""
    if not is_preloaded(command, env):
        source: dict[str, Any] = (
            {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        )
        return subprocess.run(
            command, capture_output=True, text=True, env=env, cwd=cwd, timeout=timeout, **source
        )
    with contextlib.ExitStack() as files:
        stdin, stdout, stderr = (files.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        stdin.write((input or "").encode())
        stdin.seek(0)
        process = ForkedProcess(
            command, env, cwd, (stdin.fileno(), stdout.fileno(), stderr.fileno())
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            raise
        texts = []
        for file in (stdout, stderr):
            file.seek(0)
            texts.append(io.TextIOWrapper(io.BytesIO(file.read())).read())
    return subprocess.CompletedProcess(command, code, *texts)


@functools.cache
def _server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            # Without the working directory in its path.
            (sys.executable, "-P", "-m", __name__, str(theirs.fileno())),
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )

    @atexit.register
    def stop() -> None:
        ours.close()
        process.wait(10)

    return ours


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


Command = tuple[list[str], dict[str, str], str]
"""Arguments, environment and working directory."""


def _next_command(requests: socket.socket) -> Command:
    """Fork for each request; return the command in a process that has to run it."""
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for ready in select.select([requests.fileno(), *running], [], [])[0]:
            if ready == requests.fileno():
                data, files, _, _ = socket.recv_fds(requests, MAX_REQUEST_BYTES, 4)
                if not data:  # the tests have ended
                    os._exit(0)
                if (pid := os.fork()) == 0:
                    _take_over(files)
                    command: Command = tuple(json.loads(data))
                    return command
                for stream in files[1:]:
                    os.close(stream)
                answers = socket.socket(fileno=files[0])
                running[os.pidfd_open(pid)] = pid, answers
            else:
                pid, answers = running.pop(ready)
                os.close(ready)
                with answers, contextlib.suppress(OSError):  # the test does not wait for it
                    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    answers.send(b"%d" % code)


def _take_over(files: Sequence[int]) -> None:
    """Lead a session of its own, with these files as standard streams; then report it."""
    _die_with_parent()
    os.setsid()
    for number, stream in enumerate(files[1:]):
        os.dup2(stream, number)
    os.write(files[0], b"%d" % os.getpid())
    os.closerange(3, 65_536)


def _become(arguments: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
    """Make the process what `python -m` makes one with these arguments in this environment."""
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    sys.path[:0] = [cwd, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = list(arguments)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _opened(number, getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _opened(number: int, before: TextIO) -> io.TextIOWrapper:
    """Return a standard stream as the interpreter opens it: it may be a terminal now."""
    mode = "r" if number == 0 else "w"
    return io.TextIOWrapper(
        open(number, f"{mode}b", closefd=False),
        encoding=before.encoding,
        errors=before.errors,
        newline=None if number == 0 else "\n",
        line_buffering=number == 2 or os.isatty(number),
        write_through=bool(os.environ.get("PYTHONUNBUFFERED")),
    )


if __name__ == "__main__":
    _die_with_parent()
    for name in MODULES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    arguments, env, cwd = _next_command(socket.socket(fileno=int(sys.argv[1])))
    _become(arguments, env, cwd)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
