"""Takes the pictures of the documents from the running demo: `make screenshots`.

The seed is fixed, and so is the clock: all times are moved to `STARTED_AT` before they reach the
model, so that two runs differ only by the speed of the workers.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import celery
import msgspec
from celtop.cluster.schedule.raw import Plan, times_after
from celtop.cluster.session import Pumped, RunningOperation, Session
from celtop.demo.cluster import DemoCluster
from celtop.model.confirm import targets
from celtop.model.entities.changes import Changes
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.schedule import ScheduleEntry
from celtop.model.observations import (
    InspectReply,
    Observation,
    QueueMeasured,
    QueuePeeked,
    ResultsRead,
    ScheduleRead,
    UnackedRead,
)
from celtop.model.operations.commands import Revoke
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.settings import Settings
from celtop.tui.app.app import CeltopApp

STARTED_AT: Final = datetime(2026, 11, 21, 14, 0, tzinfo=UTC).timestamp()
SEED: Final = 1
REVOKED_TASKS: Final = 6
"""Tasks in the picture of an operation's outcome."""
UNATTENDED: Final = "notifications"
"""The demo's queue without consumers."""
DEMO_SECONDS: Final = 300.0
"""How long the demo runs before the pictures are taken: as long as the charts show."""
BUSY_SECONDS: Final = 120.0
"""How much longer it may run until enough tasks are running."""
BARS: Final = 4
"""Running tasks that report progress, when the pictures are taken."""
SHOWN_URL: Final = "redis://localhost:6379/0"
SIZE: Final = (120, 36)
FOLDER: Final = Path(__file__).parent
PATHS: Final = (
    (str(Path(celery.__file__).parents[4]), "/srv/venv"),
    (str(FOLDER.parent / ".types" / "celtop"), "/srv/celtop"),
    (str(FOLDER.parent), "/srv/celtop"),
    (sys.base_prefix, "/usr"),
)
"""Paths of this machine, and their replacements."""
WEB_FONT: Final = re.compile(r"@font-face\s*\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A screen, and the keys that lead to it."""

    name: str
    keys: tuple[str, ...]
    size: tuple[int, int] = field(default=SIZE)
    outcome: bool = False
    """Whether it shows the outcome of an operation."""


PICTURES: Final = (
    Picture("overview", ("1",)),
    Picture("tasks", ("2",)),
    Picture("filter", ("2", *"/state:failure,retry", "enter")),
    Picture("task", ("2", "escape", *"/state:failure", "enter", "enter")),
    Picture("menu", ("2", "escape", *"/state:failure", "enter", "A")),
    Picture("workflow", ("2", "escape", *"/name:*summarise", "enter", "o")),
    Picture("failures", ("e",)),
    Picture("charts", ("c", *["left"] * 12)),
    Picture("workers", ("3",)),
    Picture("worker", ("3", "enter")),
    Picture("compare", ("3", "space", "space", "=")),
    Picture("queues", ("4",)),
    Picture("queue", ("4", "enter")),
    Picture("messages", ("4", "v")),
    Picture("types", ("5",)),
    Picture("type", ("5", "enter")),
    Picture("past", ("1", ",", "p", *["left"] * 6)),
    Picture("help", ("2", "?")),
    Picture("palette", ("2", "ctrl+p", *"geo")),
    Picture("columns", ("2", *":columns", "enter")),
    Picture("scheduled", ("6",)),
    Picture("log", ("7",)),
    Picture("findings", ("8",)),
    Picture("schedule", ("9",)),
    Picture("clusters", ("0",)),
    Picture("terminate", ("2", *"/state:running", "enter", "K", "enter")),
    Picture("trigger", ("5", "t", "tab", *'["scene-7.tif", {"crs": 4326}]', "tab")),
    Picture("limits", ("5", "L", "down", "enter", *"50s", "tab", *"1m")),
    Picture("revoked", ("2", *"/state:revoking", "enter"), outcome=True),
    Picture("narrow", ("1",), (80, 24)),
    Picture("large", ("1",), (200, 50)),
)


class MovedState(ClusterState):
    """A model in which all times are moved by `offset` seconds."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = offset

    def observe(self, observation: Observation) -> None:
        """Move the observation, then apply it."""
        moved = (
            msgspec.structs.replace(observation, at=observation.at + self.offset)
            if hasattr(observation, "at")
            else observation
        )
        if isinstance(moved, QueueMeasured | QueuePeeked | UnackedRead):
            moved = self._moved_times(moved)
        elif isinstance(moved, EventBatch):
            events = tuple(self._moved_event(event) for event in moved.events)
            moved = msgspec.structs.replace(moved, events=events)
        elif isinstance(moved, ResultsRead):
            metas = tuple(self._moved_meta(meta) for meta in moved.metas)
            moved = msgspec.structs.replace(moved, metas=metas)
        elif isinstance(moved, InspectReply):
            moved = msgspec.structs.replace(moved, reply=self._moved_reply(moved.reply))
        elif isinstance(moved, ScheduleRead):
            entries = tuple(self._moved_entry(entry, moved.at) for entry in moved.entries)
            moved = msgspec.structs.replace(moved, entries=entries)
        super().observe(moved)

    def _moved_times(self, value: Any) -> Any:
        """Move all fields that end in `_at`, also those of messages."""
        if isinstance(value, tuple):
            return tuple(map(self._moved_times, value))
        if not isinstance(value, msgspec.Struct):
            return value
        changes = {}
        for name in value.__struct_fields__:
            part = getattr(value, name)
            is_time = name.endswith("_at") and part is not None
            changes[name] = part + self.offset if is_time else self._moved_times(part)
        return msgspec.structs.replace(value, **changes)

    def _moved_entry(self, entry: ScheduleEntry, now: float) -> ScheduleEntry:
        """Move an entry's times; those of a crontab are of the moved calendar."""
        moved: ScheduleEntry = self._moved_times(entry)
        upcoming = tuple(at + self.offset for at in entry.upcoming)
        if entry.kind == "crontab":
            minute, hour, day, month, weekday = entry.definition.split()
            plan = Plan("crontab", None, minute, hour, day, month, weekday)
            upcoming = tuple(times_after(plan, now, ZoneInfo(entry.zone or "UTC")))
            moved = msgspec.structs.replace(moved, due_at=None)
        return msgspec.structs.replace(moved, upcoming=upcoming)

    def _moved_event(self, event: Event) -> Event:
        return msgspec.structs.replace(
            event,
            timestamp=event.timestamp + self.offset,
            eta=self._moved_iso(event.eta),
            expires=self._moved_iso(event.expires),
            traceback=event.traceback and without_paths(event.traceback),
        )

    def _moved_meta(self, meta: ResultMeta) -> ResultMeta:
        done_at = None if meta.done_at is None else meta.done_at + self.offset
        traceback = meta.traceback and without_paths(meta.traceback)
        return msgspec.structs.replace(meta, done_at=done_at, traceback=traceback)

    def _moved_reply(self, reply: Any) -> Any:
        if isinstance(reply, list):
            return [self._moved_reply(item) for item in reply]
        if not isinstance(reply, dict):
            return reply
        moved = {key: self._moved_reply(value) for key, value in reply.items()}
        if isinstance(moved.get("time_start"), float):
            moved["time_start"] += self.offset
        if isinstance(moved.get("eta"), str):
            moved["eta"] = self._moved_iso(moved["eta"])
        return moved

    def _moved_iso(self, text: str | None) -> str | None:
        if not text:
            return text
        return (datetime.fromisoformat(text) + timedelta(seconds=self.offset)).isoformat()


def without_paths(text: str) -> str:
    """Return a traceback as it would read on a server."""
    for path, shown in PATHS:
        text = text.replace(path, shown)
    return text


class Still:
    """A session that has ended: its state can be shown and no longer changes."""

    def __init__(self, session: Session, operation: RunningOperation) -> None:
        self.operation = operation
        self.settings = session.settings
        self.state = session.state
        self.backlog = 0
        self.refreshed = True
        self.read_only = False
        self.progress_unavailable: str | None = None
        self.cluster = "demo"
        self.history = session.history
        self.lookups = session.lookups
        setattr(self.lookups, "peek", self.peek)  # noqa: B010 - the broker is gone
        self.paused_queues = session.paused_queues
        self.kept_changes = session.kept_changes
        self.has_links = session.has_links

    def start(self) -> None:
        """Do nothing."""

    def stop(self, timeout: float = 2.0) -> None:
        """Do nothing."""

    def pump(self, now: float, budget: float) -> Pumped:
        """Apply nothing."""
        return Pumped(0, False)

    def tick(self, now: float) -> None:
        """Let no time pass."""

    def take_changes(self, now: float) -> Changes:
        """Return the first changes, which are all."""
        return self.state.take_changes()

    def call_on_update(self, callback: Callable[[], object]) -> None:
        """Never call it."""

    def peek(
        self, queue: str | None, limit: int, task: str | None = None, skip: int = 0
    ) -> Future[QueuePeeked]:
        """Read nothing: the messages that are shown were read before."""
        return Future()

    def refresh(self) -> None:
        """Do nothing."""

    def watch(self, topics: frozenset[str]) -> None:
        """Do nothing."""

    def read_results(self, ids: Sequence[str]) -> None:
        """Do nothing."""

    def watch_results(self, ids: Sequence[str]) -> None:
        """Do nothing."""


def run_demo() -> tuple[Still, float]:
    """Run the demo for a while; return its last state, and the time by the moved clock."""
    with DemoCluster(SEED, os.environ) as cluster:
        settings = Settings(broker_url=cluster.url, timezone="utc", ascii=False, load_results=0)
        offset = STARTED_AT - time.time()
        state = MovedState(offset)
        session = Session(settings, state)
        session.watch(frozenset({"workers", "queues"}))
        session.start()
        ends = time.monotonic() + DEMO_SECONDS
        latest = ends + BUSY_SECONDS
        while time.monotonic() < (latest if bars(state) < BARS else ends):
            now = time.time() + offset
            session.pump(now, 0.05)
            state.tick(now)
            time.sleep(0.05)
        session.lookups.peek(UNATTENDED, 500).result()
        operation = revoke_some(session, time.time() + offset)
        session.pump(time.time() + offset, 1.0)
        session.stop()
    state.broker.url = SHOWN_URL
    state.broker.latency = 0.004
    return Still(session, operation), time.time() + offset


def bars(state: ClusterState) -> int:
    """Return how many running tasks report their progress."""
    return sum(task.running and task.progress is not None for task in state.tasks.values())


def revoke_some(session: Session, now: float) -> RunningOperation:
    """Revoke some waiting tasks, and return the operation when it has ended."""
    state = session.state
    waiting = targets.revocable(list(state.tasks.values())).kept[-REVOKED_TASKS:]
    operation = session.do(Revoke(ids=targets.ids(waiting), workers=state.present_workers(now)))
    operation.future.result(timeout=30)
    return operation


async def take(still: Still, now: float, picture: Picture) -> str:
    """Return the SVG of one screen."""
    app = CeltopApp(still, still.settings, clock=lambda: now)  # type: ignore[arg-type]
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause(0.3)
        for key in picture.keys:
            await pilot.press("space" if key == " " else key)
            await pilot.pause(0.05)
        if picture.outcome:
            app.context.operations.begin(still.operation)
            app.runner.follow()
        app.repaint()
        await pilot.pause(1.0)
        return WEB_FONT.sub("", app.export_screenshot(title="celtop"))


def main() -> int:
    """Write every picture into this folder."""
    os.environ.setdefault("COLORTERM", "truecolor")
    still, now = run_demo()
    for picture in PICTURES:
        path = FOLDER / f"{picture.name}.svg"
        path.write_text(asyncio.run(take(still, now, picture)), encoding="utf-8")
        print(path.name, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
