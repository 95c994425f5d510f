"""A session on a recording: the same model at every speed, and no way to a broker."""

from __future__ import annotations

import inspect
import re
from concurrent.futures import Future
from typing import Any

import msgspec
import pytest
from celtop.cluster.lookups import Lookups
from celtop.cluster.session import Session
from celtop.export.encoding.json import encode
from celtop.export.snapshot.snapshot import take_snapshot
from celtop.model.operations.commands import Ping
from celtop.model.query.language import EVERY_TASK
from celtop.recording import checkpoints
from celtop.recording.lookups import REFUSAL, NoCluster, RecordedLookups
from celtop.recording.playback import Playback
from celtop.recording.reader import InvalidRecording, Recording
from celtop.recording.session import ReplaySession
from celtop.recording.settings import replay_settings
from celtop.settings import Settings
from celtop.tests.test_recording import RECORDING, REDACT, SNAPSHOT


class Clock:
    """Real time as the test has it pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def replay(speed: float = 1.0, *, paused: bool = False) -> tuple[ReplaySession, Clock]:
    recording, clock = Recording(RECORDING), Clock()
    settings = replay_settings(Settings(redact=REDACT), recording)
    playback = Playback(recording.header.started_at, speed, paused=paused)
    return ReplaySession(settings, recording, playback, clock), clock


def settle(session: ReplaySession) -> None:
    while session.pump(0.0, 1.0).more:
        pass


def test_at_50_times_the_speed_it_ends_in_the_same_snapshot() -> None:
    session, clock = replay(50.0)
    steps = 0
    while not session.playback.is_over:
        clock.now += 0.05
        session.pump(0.0, 0.001)
        steps += 1
    assert steps > 20
    assert session.problem is None
    assert encode(take_snapshot(session.state, session.playback.now())) == SNAPSHOT.read_bytes()


def test_it_goes_back_and_forth_to_the_same_state() -> None:
    session, _ = replay(paused=True)
    begin = session.playback.begin
    taken: dict[float, bytes] = {}
    for after in (20.0, 40.0, 20.0, 40.0):
        session.seek(begin + after)
        settle(session)
        assert session.playback.now() == begin + after
        shown = encode(take_snapshot(session.state, session.playback.now()))
        assert taken.setdefault(after, shown) == shown
    assert taken[20.0] != taken[40.0]


def test_what_it_goes_back_to_goes_on_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MIN_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "MIN_SHARE", 0.0)
    session, _ = replay(paused=True)
    session.start()
    begin, starts = session.playback.begin, []
    for after in (5.0, 15.0, 30.0, 12.0, 28.0, 20.0):
        session.seek(begin + after)
        starts.append(session.playback.position - begin)
        settle(session)
    assert starts == pytest.approx([0.0, 5.0, 15.0, 5.0, 15.0, 15.0])
    session.run_to_end()
    assert encode(take_snapshot(session.state, session.playback.now())) == SNAPSHOT.read_bytes()
    session.stop()


def test_it_stops_at_both_ends() -> None:
    session, _ = replay(paused=True)
    session.start()
    session._scan.join()
    end = session.playback.end
    assert end is not None
    session.seek(0.0)
    settle(session)
    assert session.playback.now() == session.playback.begin
    session.seek(end + 1000.0)
    settle(session)
    assert session.playback.is_over and session.playback.now() == end
    session.stop()


def asking(kind: type) -> set[str]:
    """Return the methods that look something up or start an operation."""
    found = inspect.getmembers(kind, inspect.isfunction)
    returned = {name: str(method.__annotations__.get("return")) for name, method in found}
    return {
        name
        for name, its in returned.items()
        if re.search("Future|RunningOperation", its) and not name.startswith("_")
    }


def test_it_answers_or_refuses_everything_itself() -> None:
    assert "do" in asking(Session) and "find_task" in asking(Lookups)
    new = asking(Session) - vars(ReplaySession).keys()
    new |= asking(Lookups) - vars(RecordedLookups).keys()
    assert not new, "define what it does on a recording, where there is no cluster to ask"
    session, _ = replay()
    assert session.history.stored is None and session.history.sink is None
    operation = session.do(Ping(workers=("w",)))
    assert operation.future.result(0).refusal == REFUSAL
    session.pump(0.0, 1.0)
    assert [outcome.refusal for outcome in session.state.operations.values()] == [REFUSAL]
    session.read_only = False
    assert session.read_only
    asked: tuple[Future[Any], ...] = (
        session.lookups.peek("q", 5),
        session.lookups.result("a"),
        session.lookups.find_task("a"),
        session.lookups.search_history(EVERY_TASK),
        session.lookups.plan_results_purge("state:failure"),
    )
    for each in asked:
        with pytest.raises(NoCluster, match=REFUSAL):
            each.result(0)
    assert not session.threads


def test_the_header_decides_only_what_the_model_is() -> None:
    recording = Recording(RECORDING)
    own = {"max_tasks": 10**15, "keep": {"failed": 7}, "alerts": {"command": "rm"}, "theme": "x"}
    recording.header = msgspec.structs.replace(recording.header, settings=own)
    clusters = {"shop": {"broker_url": "redis://shop/0"}}
    settings = replay_settings(Settings(theme="mine", clusters=clusters), recording)
    assert not settings.clusters, "there is none to go to"
    assert settings.max_tasks == 1_000_000
    assert settings.keep["failed"] == 7
    assert settings.theme == "mine" and settings.alerts == Settings().alerts
    recording.header = msgspec.structs.replace(recording.header, settings={"max_tasks": "many"})
    with pytest.raises(InvalidRecording, match="invalid settings"):
        replay_settings(Settings(), recording)
