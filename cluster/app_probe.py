"""Reads the configuration of the monitored app in a child process.

Importing an app runs its code: it prints, connects, sets signal handlers, and may crash or hang. So
a child process imports it and returns one JSON object on a file descriptor of its own; its output
is discarded.

`python -m celtop.cluster.app_probe APP FD` is that child.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Final

import msgspec

from ..model.entities.registered_task import Parameter, ParameterKind, RegisteredTask

LOAD_TIMEOUT: Final = 30.0
"""Seconds to load the app; a large Django project takes many."""
MAX_TRACEBACK_LINES: Final = 12
"""Lines of a traceback in an error."""
MAX_PARAMETERS: Final = 50
"""Parameters of a task; one with more of them is sent as JSON."""
MAX_TEXT: Final = 200
"""Characters of an annotation, a default or a summary."""
IMPORT_ADVICE: Final = (
    "Set --workdir to the directory to import the app from, or install the missing module in "
    "celtop's environment"
)
_CELERY_VARIABLES: Final = (
    "CELERY_BROKER_URL",
    "CELERY_BROKER_READ_URL",
    "CELERY_BROKER_WRITE_URL",
    "CELERY_RESULT_BACKEND",
)
"""They override the app's own settings in Celery, but here `settings` decides the precedence."""


class AppDescription(msgspec.Struct, frozen=True):
    """A plain description of an app's configuration, including unmasked passwords."""

    broker_url: str | None = None
    result_backend: str | None = None
    broker_transport_options: dict[str, Any] = {}
    broker_use_ssl: dict[str, Any] | bool | None = None
    result_backend_transport_options: dict[str, Any] = {}
    redis_backend_use_ssl: dict[str, Any] | bool | None = None
    event_exchange: str = "celeryev"
    control_exchange: str = "celery"
    task_default_queue: str = "celery"
    accept_content: tuple[str, ...] = ("json",)
    tasks: tuple[RegisteredTask, ...] = ()


class AppError(Exception):
    """The app could not be loaded; the text has the reason and the end of the traceback."""


def describe(app: str, workdir: str | None = None, timeout: float = LOAD_TIMEOUT) -> AppDescription:
    """Load an app in a child process and return its description.

    Args:
        app: As in `celery -A`: `proj`, `proj.celery`, `proj.celery:app`.
        workdir: The folder to import it from; None is the current folder.
        timeout: Seconds to wait.

    Raises:
        AppError: It cannot be imported, is not a Celery app, crashed, or took too long.
    """
    if workdir is not None and not Path(workdir).is_dir():
        raise AppError(f"--workdir: {workdir} is not a directory")
    reader, writer = os.pipe()
    command = [sys.executable, "-m", __name__, app, str(writer)]
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(writer,),
            env=app_environment(workdir),
            cwd=workdir,
            start_new_session=True,
        )
        os.close(writer)
        answer, errors = _collect(child, reader, timeout)
    finally:
        os.close(reader)
    return _parse(app, answer, errors, child.returncode)


def app_environment(workdir: str | None) -> dict[str, str]:
    """Return the environment of a child process that imports an app from a folder."""
    environment = {key: value for key, value in os.environ.items() if key not in _CELERY_VARIABLES}
    # The child must find the app in its folder, and celtop where it is installed.
    paths = [str(Path(workdir or ".").resolve()), *filter(None, sys.path)]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment


def _collect(child: subprocess.Popen[bytes], reader: int, timeout: float) -> tuple[bytes, str]:
    """Read the answer and stderr until the answer ends.

    Raises:
        AppError: It did not end within `timeout` seconds.
    """
    assert child.stderr is not None
    deadline = time.monotonic() + timeout
    parts: dict[int, bytearray] = {reader: bytearray(), child.stderr.fileno(): bytearray()}
    answer, errors = parts.values()
    try:
        with DefaultSelector() as selector:
            for descriptor in parts:
                selector.register(descriptor, EVENT_READ)
            # Processes left behind by the app may keep stderr open: only the answer counts.
            while reader in selector.get_map():
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise AppError(
                        f"The app did not load within {timeout:g} s; it may be waiting for"
                        " something while it is imported"
                    )
                for key, _ in selector.select(remaining):
                    data = os.read(key.fd, 65536)
                    parts[key.fd] += data
                    if not data:
                        selector.unregister(key.fd)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(1.0)
    finally:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, 9)
            child.wait()
        child.stderr.close()
    return bytes(answer), errors.decode(errors="replace")


def _parse(app: str, answer: bytes, errors: str, status: int | None) -> AppDescription:
    if not answer:
        how = f"signal {-status}" if status and status < 0 else f"status {status}"
        tail = "\n".join(errors.strip().splitlines()[-MAX_TRACEBACK_LINES:])
        raise AppError(f"The app {app} exited ({how})" + (f":\n{tail}" if tail else ""))
    try:
        found = msgspec.json.decode(answer, type=dict[str, Any])
        if "error" in found:
            raise AppError(str(found["error"]))
        return msgspec.convert(found, AppDescription, strict=False)
    except msgspec.MsgspecError as error:
        raise AppError(f"The app {app} has a setting of an unexpected type: {error}") from error


def main(app: str, descriptor: str) -> None:
    """Write an app's description to a file descriptor, as JSON: the whole life of the child."""
    try:
        found = _describe_here(app)
    except BaseException as error:  # an app may call sys.exit() while it is imported
        lines = traceback.format_exception(error, chain=False)
        last = "".join(lines).strip().splitlines()[-MAX_TRACEBACK_LINES:]
        reason = lines[-1].strip().partition("\n")[0]
        advice = f". {IMPORT_ADVICE}" if isinstance(error, ModuleNotFoundError) else ""
        found = {"error": f"Cannot load the app {app}: {reason}{advice}\n" + "\n".join(last)}
    with os.fdopen(int(descriptor), "wb") as answer:
        answer.write(json.dumps(found, default=str).encode())
    # Skip the app's threads and exit handlers, which may wait forever.
    os._exit(0)


def load_app(name: str) -> Any:
    """Import an app with all its tasks, as a worker does: only in a child process."""
    from celery.app.utils import find_app

    app = find_app(name)
    app.loader.import_default_modules()
    app.finalize()
    return app


def _describe_here(name: str) -> dict[str, Any]:
    app = load_app(name)
    return {**configuration(app), "tasks": msgspec.to_builtins(registered_tasks(app))}


def registered_tasks(app: Any) -> tuple[RegisteredTask, ...]:
    """Return the tasks of a Celery app, sorted by name; this calls the app's routers."""
    return tuple(
        RegisteredTask(task.name, _queue(task), task.max_retries, _parameters(task), _summary(task))
        for _, task in sorted(app.tasks.items())
    )


def configuration(app: Any) -> dict[str, Any]:
    """Return the connection settings of a Celery app, as the fields of `AppDescription`."""
    conf = app.conf
    broker = conf.broker_read_url or conf.broker_url
    return {
        "broker_url": ";".join(broker) if isinstance(broker, (list, tuple)) else broker,
        "result_backend": conf.result_backend,
        "broker_transport_options": dict(conf.broker_transport_options or {}),
        "broker_use_ssl": conf.broker_use_ssl or None,
        "result_backend_transport_options": dict(conf.result_backend_transport_options or {}),
        "redis_backend_use_ssl": conf.redis_backend_use_ssl or None,
        "event_exchange": conf.event_exchange,
        "control_exchange": conf.control_exchange,
        "task_default_queue": conf.task_default_queue,
        "accept_content": sorted(str(kind) for kind in conf.accept_content or ()),
    }


def _queue(task: Any) -> str | None:
    options = {"queue": task.queue} if getattr(task, "queue", None) else {}
    try:
        queue = task.app.amqp.router.route(options, task.name)["queue"]
    except Exception:  # routes may be functions of the app
        return None
    return str(getattr(queue, "name", queue))


def _parameters(task: Any) -> tuple[Parameter, ...] | None:
    """Return the parameters of a task; None if they are unknown or too many."""
    import inspect

    kinds: dict[Any, ParameterKind] = {
        inspect.Parameter.POSITIONAL_ONLY: "positional",
        inspect.Parameter.POSITIONAL_OR_KEYWORD: "either",
        inspect.Parameter.KEYWORD_ONLY: "keyword",
        inspect.Parameter.VAR_POSITIONAL: "args",
        inspect.Parameter.VAR_KEYWORD: "kwargs",
    }
    try:
        found = inspect.signature(task.run).parameters.values()
    except (TypeError, ValueError):  # written in C, for example
        return None
    if len(found) > MAX_PARAMETERS:
        return None
    empty = inspect.Parameter.empty
    return tuple(
        Parameter(
            one.name,
            kinds[one.kind],
            "" if one.annotation is empty else _annotation(one.annotation),
            None if one.default is empty else _cut(repr(one.default)),
        )
        for one in found
    )


def _annotation(annotation: Any) -> str:
    import inspect

    is_text = isinstance(annotation, str)  # from __future__ import annotations
    return _cut(annotation if is_text else inspect.formatannotation(annotation))


def _summary(task: Any) -> str:
    """Return the first sentence of a task's docstring; Celery's own, of a task without one, not."""
    from celery import Task

    text = getattr(task, "__doc__", None)
    if not isinstance(text, str) or text == Task.__doc__:
        return ""
    return _cut(" ".join(text.strip().partition("\n\n")[0].split()))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."


if __name__ == "__main__":
    main(*sys.argv[1:])
