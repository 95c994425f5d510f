"""Records the demo for `test_recording`: `python -m celtop.tests.recordings.record`.

It takes a minute and writes the recording and its snapshot. With `--replay` it only writes the
snapshot of the existing recording, after an intended change of the snapshot.
"""

from __future__ import annotations

import gzip
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import celtop
import msgspec
import psutil
from celery import Celery
from celtop.cli.session import listen, open_session, pump_until, wait_for_replies
from celtop.cluster.events import receiver
from celtop.cluster.inbox import Inbox
from celtop.cluster.results import push, redis_search
from celtop.cluster.results.backends import redis
from celtop.cluster.results.backends.decode import from_payload
from celtop.cluster.session import Session
from celtop.demo.cluster import DemoCluster
from celtop.model.observations import Observation, ResultsRead
from celtop.model.wire.events import EventBatch, decode
from celtop.settings import Settings
from celtop.tests.test_recording import KINDS, RECORDING, SNAPSHOT, snapshot

SEED: Final = 1
NEUTRAL: Final = {
    str(Path(celtop.__file__).parent): "/srv/celtop",
    str(Path(celtop.__file__).resolve().parent): "/srv/celtop",
    sys.prefix: "/srv/venv",
    sys.base_prefix: "/usr",
    f"@{platform.node()}": "@client",
}
"""Names of the recording machine, and their replacements."""


class Recorder:
    """Records each observation that enters an inbox, with the text it was decoded from."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._origins: dict[int, tuple[object, str]] = {}
        self._names = {type_: kind for kind, type_ in KINDS.items()}
        self._put = Inbox.put

    def install(self) -> None:
        """Record from now on, until the process ends."""
        setattr(receiver, "decode", self._remembering(decode, 0))  # noqa: B010
        for module in (redis_search, push, redis):
            setattr(module, "from_payload", self._remembering(from_payload, 1))  # noqa: B010
        setattr(Inbox, "put", lambda inbox, seen: self.put(inbox, seen))  # noqa: B010

    def put(self, inbox: Inbox, seen: Observation) -> None:
        """Record an observation, and put it into the inbox."""
        record = {"kind": self._kind(seen), "at": time.time(), **self._fields(seen)}
        line = msgspec.json.encode(record).decode()
        for name, neutral in NEUTRAL.items():
            line = line.replace(name, neutral)
        self.lines.append(line)
        self._put(inbox, seen)

    def _kind(self, seen: Observation) -> str:
        if isinstance(seen, EventBatch):
            return "events"
        return "results" if isinstance(seen, ResultsRead) else self._names[type(seen)]

    def _fields(self, seen: Observation) -> dict[str, Any]:
        if isinstance(seen, EventBatch):
            return {"at": seen.at, "body": self._origin(seen)}
        if isinstance(seen, ResultsRead):
            payloads = [(meta.id, self._origin(meta)) for meta in seen.metas]
            return {
                "at": seen.at,
                "source": seen.source,
                "absent": seen.absent,
                "payloads": payloads,
            }
        fields: dict[str, Any] = msgspec.to_builtins(seen)
        return fields

    def _remembering(self, read: Callable[..., Any], place: int) -> Callable[..., Any]:
        """Wrap the decoder `read` so that its argument number `place` is remembered."""

        def remember(*arguments: Any) -> Any:
            decoded, raw = read(*arguments), arguments[place]
            # The value is kept too: its id would be reused otherwise.
            text = raw if isinstance(raw, str) else bytes(raw).decode()
            self._origins[id(decoded)] = (decoded, text)
            return decoded

        return remember

    def _origin(self, decoded: object) -> str:
        return self._origins[id(decoded)][1]


def watch(session: Session, cluster: DemoCluster) -> None:
    """Watch the demo for a minute with a lost connection, a killed and a stopped worker."""
    control = Celery(broker=cluster.url).control
    state, tasks = session.state, session.state.tasks
    listen(session, 12)
    session._receiver.reconnect()  # the connection is closed and opened again
    listen(session, 8)
    revoked = next(
        task.id
        for task in tasks.values()
        if task.running and task.name in ("reports.weekly", "sessions.send")
    )
    control.revoke(revoked, terminate=True)
    listen(session, 6)
    for process in psutil.Process().children(recursive=True):
        if "geo@demo" in process.cmdline():
            process.kill()
    listen(session, 18)
    control.shutdown(destination=["mail@demo"])
    listen(session, 12)
    wait_for_replies(session)
    pump_until(
        session, 15, lambda: any(state.estimate(task, time.time()) for task in tasks.values())
    )


def record() -> None:
    """Write the recording."""
    recorder = Recorder()
    recorder.install()
    with DemoCluster(SEED, os.environ) as cluster:
        settings = Settings(broker_url=cluster.url, result_backend=cluster.url)
        with open_session(settings) as session:
            session.watch(frozenset({"workers", "queues"}))
            watch(session, cluster)
            lines = recorder.lines.copy()
    text = "".join(f"{line}\n" for line in lines)
    RECORDING.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    if "--replay" not in sys.argv[1:]:
        record()
    SNAPSHOT.write_bytes(snapshot())
