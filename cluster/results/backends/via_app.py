"""Results that only the app's code can read: `django-db` and the app's own backend classes.

The app runs in a child process (`app_process`), which returns the stored data still encoded.
"""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Final

import msgspec

from ....model.entities.fault import Fault
from ....model.entities.result import ResultMeta
from ....settings import Settings
from ...app_probe import LOAD_TIMEOUT, app_environment
from ...connection.broker import hide
from . import app_process
from .base import ResultReader, ResultsError, newest_first
from .decode import NOT_DECODABLE, Undecoded, from_mapping, from_payload, load

_BLOCK_SIZE: Final = 200
"""Ids of one request, which must fit into the pipe even if the child does not read it."""
_MAX_ID_BYTES: Final = 255
"""The length of the column in django-celery-results."""
_PLAIN_COLUMNS: Final = (
    *("status", "traceback", "worker", "periodic_task_name"),
    *("date_created", "date_started", "date_done"),
)
"""Columns of django-celery-results that are not encoded."""
_ANSWER_TIMEOUT: Final = 10.0
"""Seconds for an answer once the app is loaded."""
_MAX_REASON_LENGTH: Final = 300


class AppResults(ResultReader):
    """Reads through the app that `settings` names; its process ends with the reader."""

    def __init__(self, url: str, settings: Settings) -> None:
        assert settings.app is not None
        self._url = url
        self._settings = settings
        self._app = settings.app
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id."""
        found: dict[str, ResultMeta] = {}
        ids = [id_ for id_ in ids if len(id_.encode()) <= _MAX_ID_BYTES]
        with self._lock:
            try:
                for start in range(0, len(ids), _BLOCK_SIZE):
                    answer = self._ask({"ids": ids[start : start + _BLOCK_SIZE]}, _ANSWER_TIMEOUT)
                    found |= {id_: _meta(id_, entry) for id_, entry in answer.items()}
            except ResultsError:
                self._end()
                raise
        return found

    def recent(
        self, limit: int, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of finished tasks, the newest first; only for `django-db`."""
        with self._lock:
            try:
                answer = self._ask({"limit": limit}, _ANSWER_TIMEOUT)
            except ResultsError:
                self._end()
                raise
        metas = [_meta(id_, entry) for id_, entry in answer.items()]
        yield from newest_first(metas, limit)

    def close(self) -> None:
        """End the app's process; a read under way fails."""
        child = self._child
        if child is not None:
            child.kill()
        with self._lock:
            self._end()

    def _ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        if self._child is None:
            self._child = _Child(self._app, self._settings.workdir)
            self._ask({"backend": self._url}, LOAD_TIMEOUT)
        answer = self._child.ask(request, timeout)
        if "error" in answer:
            raise self._fault(str(answer["error"]))
        found: dict[str, Any] = answer["found"]
        return found

    def _fault(self, error: str) -> ResultsError:
        reason = " ".join(hide(error, self._url).split())[:_MAX_REASON_LENGTH]
        advice = "celtop runs the app in a child process to read this backend"
        return ResultsError(
            Fault("app", f"The app {self._app} cannot read its results: {reason}", advice)
        )

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


class _Child:
    """The child process and the two pipes to it."""

    def __init__(self, app: str, workdir: str | None) -> None:
        self._app = app
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._rest = b""
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", app_process.__name__, app, str(requests), str(answers)],
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
            raise self._failed(f"its process did not start: {error.strerror}") from error
        finally:
            os.close(requests)
            os.close(answers)

    def ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Return the answer to one request.

        Raises:
            ResultsError: The process exited, or did not answer in time.
        """
        deadline = time.monotonic() + timeout
        try:
            with os.fdopen(os.dup(self._requests), "wb") as pipe:
                pipe.write(msgspec.json.encode(request) + b"\n")
        except BrokenPipeError:
            raise self._failed(self._ending()) from None
        received = bytearray(self._rest)
        with DefaultSelector() as selector:
            selector.register(self._answers, EVENT_READ)
            while b"\n" not in received:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise self._failed(f"no answer within {timeout:g} s")
                data = os.read(self._answers, 1 << 20)
                if not data:
                    raise self._failed(self._ending())
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

    def _failed(self, why: str) -> ResultsError:
        return ResultsError(Fault("app", f"The app {self._app} cannot read its results: {why}", ""))


def _meta(id_: str, entry: Mapping[str, Any]) -> ResultMeta:
    if "payload" in entry:
        return from_payload(id_, base64.b64decode(entry["payload"]))
    row = entry["row"]
    undecoded, result = None, None
    try:
        result = _column(row, "result")
    except Undecoded as reason:
        undecoded = str(reason)
    meta = _or_none(row, "meta")
    fields = {
        **(meta if isinstance(meta, Mapping) else {}),
        **{name: row.get(name) for name in _PLAIN_COLUMNS},
        "result": result,
        "name": row.get("task_name"),
        "args": _or_none(row, "task_args"),
        "kwargs": _or_none(row, "task_kwargs"),
    }
    # The table has the repr of the arguments (`argsrepr`), not their values.
    return from_mapping(id_, fields, undecoded=undecoded, exact=False)


def _column(row: Mapping[str, Any], name: str) -> Any:
    """Return the value of a column encoded by `encode_content` of django-celery-results.

    Raises:
        Undecoded: It is a pickle of other objects, or an unknown format.
    """
    content = row.get(name)
    if not content:
        return None
    if row.get("content_encoding") == "binary":
        try:
            content = base64.b64decode(content)
        except ValueError:
            raise Undecoded(NOT_DECODABLE) from None
    return load(content)


def _or_none(row: Mapping[str, Any], name: str) -> Any:
    try:
        return _column(row, name)
    except Undecoded:
        return None
