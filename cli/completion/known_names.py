"""The names that a shell completes: tasks, task names, workers and queues of the cluster.

A shell waits for completions, so these take less than a second: a child process looks the names up
in the history, or in the cluster if there is no history, and leaves them in a file. What it has not
found in time is there for the next completion.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ...files import files
from ..options import given

if TYPE_CHECKING:
    import click

    from ...cluster.session import Session
    from ...history.rows import StoredTask
    from ...settings import Settings

STARTED: Final = time.monotonic()
TIMEOUT: Final = 0.7
"""Seconds after the start of this program at which the names known by then are used."""
MAX_AGE: Final = 20.0
"""Seconds for which names are not looked up again."""
CHILD_TIMEOUT: Final = 8
"""Seconds after which the child process ends."""
REPLY_TIMEOUT: Final = 4.0
"""Seconds for the replies of workers and queues."""
STOP_TIMEOUT: Final = 2.0
CHECK_INTERVAL: Final = 0.01
MAX_TASKS: Final = 50
"""Newest tasks whose ids are completed."""
MAX_STORED: Final = 500
"""Newest tasks of the history whose names, workers and queues are completed."""
MAX_FILE_BYTES: Final = 4 << 20
FOLDER: Final = "completion"
_VARIABLES: Final = ("CELTOP_", "CELERY_", "XDG_")


class KnownNames(NamedTuple):
    """Names of one cluster."""

    tasks: Sequence[str] = ()
    """Ids, the newest first."""
    types: Sequence[str] = ()
    """Names of tasks."""
    workers: Sequence[str] = ()
    queues: Sequence[str] = ()
    clusters: Sequence[str] = ()
    """Of the config file and the history: the names for `--cluster`."""


def known_names(ctx: click.Context) -> KnownNames:
    """Return the names of the cluster that a command line is about; none if it takes too long."""
    file = _file(given(ctx))
    found, age = _read(file)
    if age < MAX_AGE:
        return found
    child = os.fork()
    if not child:
        _look_up(ctx, file)
    while time.monotonic() - STARTED < TIMEOUT and not os.waitpid(child, os.WNOHANG)[0]:
        time.sleep(CHECK_INTERVAL)
    return _read(file)[0]


def _file(options: Mapping[str, object]) -> Path:
    """Return the file with the names for these options, in this folder and environment."""
    variables = {name: text for name, text in os.environ.items() if name.startswith(_VARIABLES)}
    key = json.dumps([options, variables, str(Path.cwd())], sort_keys=True, default=str)
    name = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()[:32]
    return files.state_folder() / FOLDER / f"{name}.json"


def _read(file: Path) -> tuple[KnownNames, float]:
    """Return the names in a file and their age in seconds."""
    try:
        age = time.time() - file.stat().st_mtime
        found = json.loads(files.read_file(file, MAX_FILE_BYTES))
        names = KnownNames(*([str(name) for name in its] for its in found))
    except (OSError, ValueError, TypeError):
        return KnownNames(), float("inf")
    return names, age if age >= 0 else float("inf")


def _look_up(ctx: click.Context, file: Path) -> None:
    """Write the names to the file, in a child process, which ends here."""
    try:
        os.setsid()
        signal.alarm(CHILD_TIMEOUT)
        null = os.open(os.devnull, os.O_RDWR)
        for handle in (0, 1, 2):
            os.dup2(null, handle)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(file.parent, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _read(file)[1] >= MAX_AGE:  # another shell may have looked them up meanwhile
            from ..options import settings_of

            _forget_old(file.parent)
            for names in _names(settings_of(ctx, broker_needed=False)):
                files.replace_file(file, json.dumps(names).encode())
    finally:
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
        os._exit(0)


def _forget_old(folder: Path) -> None:
    """Delete the files of clusters that were not completed for a day."""
    for file in folder.glob("*.json"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > 86_400:
                file.unlink()


def _names(settings: Settings) -> Iterator[KnownNames]:
    """Yield the names in the history, and then those of the cluster, too."""
    from ...cluster.session import Session

    quiet = {"enable_events": False, "load_results": MAX_TASKS}
    session = Session(settings.model_copy(update=quiet))
    stored = _stored_names(settings, session.cluster)
    yield stored
    if settings.broker_url:
        now = _present_names(session)
        yield KnownNames(
            *(tuple(dict.fromkeys((*new, *old))) for new, old in zip(now, stored, strict=True))
        )
        session.stop(STOP_TIMEOUT)  # removes its queue from the broker


def _stored_names(settings: Settings, cluster: str) -> KnownNames:
    """Return the names of the newest tasks in the history; none if there is none."""
    from ...model.query.language import EVERY_TASK
    from ..stored import open_history

    tasks: Sequence[StoredTask] = ()
    clusters = list(settings.clusters)
    with open_history(settings) as store:
        if store is not None:
            tasks = store.tasks(cluster, EVERY_TASK, time.time(), MAX_STORED).tasks
            clusters += [one.cluster for one in store.clusters()]
    types, workers, queues = (
        sorted({name for task in tasks if (name := getattr(task, column))})
        for column in ("name", "worker", "queue")
    )
    ids = [task.id for task in tasks[:MAX_TASKS]]
    return KnownNames(ids, types, workers, queues, tuple(dict.fromkeys(clusters)))


def _present_names(session: Session) -> KnownNames:
    """Return the names that workers, queues and the result backend have now."""
    from ...model.confirm.targets import known_queues, task_names
    from ..session import pump_until

    session.start()

    def done() -> bool:
        fault = session.state.broker.fault
        if fault is not None and not session.state.broker.is_connected:
            return True
        return session.state.broker.is_connected and session.refreshed and session.history_loaded

    pump_until(session, REPLY_TIMEOUT, done)
    state = session.state
    newest = list(state.tasks)[-MAX_TASKS:]
    return KnownNames(newest[::-1], task_names(state), sorted(state.workers), known_queues(state))
