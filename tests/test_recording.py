"""Compares the snapshot of a recorded cluster with the one written before.

`recordings/demo.jsonl.gz` is a recording of a minute of the demo, as `celtop record` writes it, and
`recordings/demo.snapshot.json` its snapshot. `recordings/record.py` writes both.
"""

from __future__ import annotations

import difflib
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec
import pytest
from celtop.export.encoding.json import encode
from celtop.export.snapshot.snapshot import take_snapshot
from celtop.recording.playback import Playback
from celtop.recording.reader import Recording
from celtop.recording.session import ReplaySession
from celtop.recording.settings import replay_settings
from celtop.settings import Settings

RECORDINGS: Final = Path(__file__).parent / "recordings"
RECORDING: Final = RECORDINGS / "demo.jsonl.gz"
SNAPSHOT: Final = RECORDINGS / "demo.snapshot.json"
REDACT: Final = ("cus_[0-9]+", "recipients")


def replay() -> ReplaySession:
    """Return a session at the beginning of the recording."""
    recording = Recording(RECORDING)
    settings = replay_settings(Settings(redact=REDACT), recording)
    return ReplaySession(settings, recording, Playback(recording.header.started_at))


def snapshot() -> bytes:
    """Return the snapshot of the recording, as `celtop replay --snapshot --format json` does."""
    session = replay()
    session.run_to_end()
    return encode(take_snapshot(session.state, session.playback.position))


def test_the_snapshot_of_the_recording_is_unchanged() -> None:
    before, after = SNAPSHOT.read_bytes(), snapshot()
    if after != before:
        old, new = before.decode().splitlines(), after.decode().splitlines()
        changes = difflib.unified_diff(old, new, "before", "after", lineterm="")
        pytest.fail("\n".join(list(changes)[:80]), pytrace=False)


def test_the_recording_covers_every_state_and_many_fields() -> None:
    shown = msgspec.json.decode(SNAPSHOT.read_bytes())
    states = Counter(task["state"] for task in shown["tasks"])
    assert states.keys() >= {
        "PENDING", "RECEIVED", "STARTED", "PROGRESS", "RETRY", "SUCCESS", "FAILURE", "REVOKED",
    }  # fmt: skip
    assert {worker["status"] for worker in shown["workers"]} >= {"online", "offline"}
    assert any(worker["scheduled"] for worker in shown["workers"])
    assert any(queue["waiting"] for queue in shown["queues"])
    for field in ("progress", "attempts", "loss", "eta_at", "group_id", "parent_id", "estimate"):
        assert any(task[field] for task in shown["tasks"]), field
