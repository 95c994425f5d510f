"""Records the demo for `test_recording`: `python -m celtop.tests.recordings.record`.

It takes a minute and writes the recording and its snapshot. With `--replay` it only writes the
snapshot of the existing recording, after an intended change of the snapshot.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import celtop
import psutil
from celery import Celery
from celtop.cli.session import listen, open_session, pump_until, wait_for_replies
from celtop.cluster.session import Session
from celtop.demo.cluster import DemoCluster
from celtop.model.ingest.redaction import Redaction
from celtop.recording.header import header_of
from celtop.recording.recorder import Recorder
from celtop.settings import Settings
from celtop.tests.test_recording import RECORDING, SNAPSHOT, snapshot

SEED: Final = 1
MAX_BYTES: Final = 100 << 20
PROGRESS_PATH: Final = {"sessions.*": {"percent": "progress", "text": "message"}}
NEUTRAL: Final = {
    str(Path(celtop.__file__).parent): "/srv/celtop",
    str(Path(celtop.__file__).resolve().parent): "/srv/celtop",
    sys.prefix: "/srv/venv",
    sys.base_prefix: "/usr",
    f"@{platform.node()}": "@client",
}
"""Names of the recording machine, and their replacements."""


def watch(session: Session, cluster: DemoCluster) -> None:
    """Watch the demo for a minute with a lost connection, a killed and a stopped worker."""
    control = Celery(broker=cluster.url).control
    state, tasks = session.state, session.state.tasks
    listen(session, 12)
    session._observers.receiver.reconnect()  # the connection is closed and opened again
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
    with tempfile.TemporaryDirectory() as folder, DemoCluster(SEED, os.environ) as cluster:
        file = Path(folder) / "demo.jsonl"
        settings = Settings(
            broker_url=cluster.url, result_backend=cluster.url, progress_path=PROGRESS_PATH
        )
        with open_session(settings) as session:
            header = header_of(settings, "redis", time.time(), celtop.__version__)
            recorder = Recorder(file, header, Redaction(), MAX_BYTES)
            session.tap = recorder.put
            recorder.start()
            session.watch(frozenset({"workers", "queues"}))
            watch(session, cluster)
            session.tick(now := time.time())
            recorder.stop(now)
        text = file.read_text("utf-8")
    for name, neutral in NEUTRAL.items():
        text = text.replace(name, neutral)
    RECORDING.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replay", action="store_true", help="only write the snapshot")
    if not parser.parse_args().replay:
        record()
    SNAPSHOT.write_bytes(snapshot())
