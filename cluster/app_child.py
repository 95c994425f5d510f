"""A child process that has loaded the monitored app, and answers requests with its code."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from selectors import EVENT_READ, DefaultSelector
from typing import Any, TypeAlias

import msgspec

from .app_probe import app_environment

Answer: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Returns the answer to a request."""


class ChildFailed(Exception):
    """The child process did not start, exited, or did not answer in time; the text is the reason.

    `answered` is whether it answered that it failed, so that nothing was done.
    """

    def __init__(self, text: str, *, answered: bool = False) -> None:
        super().__init__(text)
        self.answered = answered


class AppChild:
    """The child process and the two pipes to it.

    Args:
        module: The module to run, with APP, REQUESTS and ANSWERS: it answers each JSON line on one
            file descriptor with a line on the other.
        app: As in `celery -A`.
        workdir: The folder to import it from; None is the current folder.

    Raises:
        ChildFailed: The process did not start.
    """

    def __init__(self, module: str, app: str, workdir: str | None) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._rest = b""
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, app, str(requests), str(answers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(requests, answers),
                env=app_environment(workdir),
                cwd=workdir,
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._requests)
            os.close(self._answers)
            raise ChildFailed(f"its process did not start: {error.strerror}") from error
        finally:
            os.close(requests)
            os.close(answers)

    def ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Return the answer to one request.

        Raises:
            ChildFailed: The process exited, or did not answer in time.
        """
        deadline = time.monotonic() + timeout
        try:
            with os.fdopen(os.dup(self._requests), "wb") as pipe:
                pipe.write(msgspec.json.encode(request) + b"\n")
        except BrokenPipeError:
            raise ChildFailed(self._ending()) from None
        received = bytearray(self._rest)
        with DefaultSelector() as selector:
            selector.register(self._answers, EVENT_READ)
            while b"\n" not in received:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise ChildFailed(f"no answer within {timeout:g} s")
                data = os.read(self._answers, 1 << 20)
                if not data:
                    raise ChildFailed(self._ending())
                received += data
        line, _, self._rest = bytes(received).partition(b"\n")
        answer: dict[str, Any] = msgspec.json.decode(line)
        return answer

    def kill(self) -> None:
        """Kill the process and everything that it started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)

    def close(self) -> None:
        """Kill the process and close the pipes."""
        self.kill()
        self._process.wait()
        os.close(self._requests)
        os.close(self._answers)

    def _ending(self) -> str:
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return f"its process exited ({how})"


def serve(requests: str, answers: str, answer: Answer) -> None:
    """Answer requests until the parent closes the pipe: the whole life of the child.

    Args:
        requests: The file descriptor to read requests from, a JSON object per line.
        answers: The file descriptor to write answers to; `error` in one is the reason of a failure.
        answer: Returns the answer to a request.
    """
    with os.fdopen(int(requests), "rb") as pipe, os.fdopen(int(answers), "wb") as out:
        for line in pipe:
            try:
                reply = answer(json.loads(line))
            except BaseException as error:  # an app may call sys.exit() while it is imported
                lines = traceback.format_exception(error, chain=False)
                reply = {"error": "".join(lines).strip().splitlines()[-1]}
            out.write(json.dumps(reply).encode() + b"\n")
            out.flush()
    # Skip the app's threads and exit handlers, which may wait forever.
    os._exit(0)
