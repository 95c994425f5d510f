"""The context of all screens: session, model, settings, clock and glyphs."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from ..bindings.keymap import Keymap
from ..files.acknowledgements import Acknowledgements
from ..files.typed_history import TypedHistory
from ..model.entities.queue import Queue
from ..model.entities.series.time_series import STEP, STEPS
from ..model.entities.task import Task
from ..model.entities.task_type import TaskType
from ..model.entities.worker import Worker
from ..model.frozen_copy import frozen_copy
from ..model.health.finding import Finding
from ..model.health.findings import findings
from ..model.health.first_found import FirstFound
from ..model.operations.lasting import Lasting, lasting
from ..model.past import state_at
from ..model.stored_past import MINUTE, end_of_minute, stored_state
from ..widgets.glyphs import ASCII, Glyphs
from ..widgets.table.column import Frame
from ..widgets.table.layout import Layout, parse_layout
from .history.deploy_effects import DeployEffects
from .history.stored_moments import StoredMoments
from .history.stored_series import StoredSeries
from .running import RunningOperations
from .seen_hints import SeenHints

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..history.reading.moments import Moment
    from ..model.operations.commands import PauseQueue
    from ..model.state import ClusterState
    from ..recording.session import ReplaySession
    from ..settings import Settings

R = TypeVar("R")

READ_ONLY: Final = "read-only mode; :rw allows changes"
RECORDED: Final = "this is a recording"
TIMES: Final = ("local", "utc", "relative")
"""How times are shown in tables: in a time zone, or as `41 s ago`."""
STEPS_PER_CHART: Final = 60
"""Steps in time across the charts."""
INITIAL_WINDOWS: Final = (300, 900)
"""Seconds that charts cover at first, and once half of the second has been recorded."""
CACHE_SECONDS: Final = 1.0
"""How long a value that is expensive to look up is reused."""
FINDINGS_SHARE: Final = 0.01
"""The part of the time that may be spent on findings."""


class ShownState:
    """The state that the screen shows: the live one, or a frozen copy.

    A table or column that was made before a freeze follows it, since it keeps this object. (It
    must not keep `state.workers.values`, which is of one of the two.)
    """

    def __init__(self, state: ClusterState) -> None:
        self.state = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)

    def __copy__(self) -> ClusterState:
        return copy.copy(self.state)


@dataclass(slots=True)
class AppContext:
    """The session, the settings and the clock, for every screen and dialog."""

    session: Session
    settings: Settings
    clock: Callable[[], float]
    glyphs: Glyphs
    utc: bool = False
    """Whether times of day are shown in UTC."""
    relative: bool = False
    """Whether the times in tables are shown as `41 s ago`."""
    chart_window: int | None = None
    """The time that charts cover, in seconds; None until it is chosen."""
    yesterday: bool = False
    """Whether charts compare with the same time yesterday."""
    keymap: Keymap = field(default_factory=Keymap)
    """The user's keys."""
    frozen_at: float | None = None
    """The time that a frozen screen shows, epoch seconds; None if it is not frozen."""
    operations: RunningOperations = field(default_factory=RunningOperations)
    """The operations that the user has started."""
    seen_hints: SeenHints = field(default_factory=lambda: SeenHints(None))
    """The hints that were shown; by default none are."""
    column_layouts: dict[str, Layout] = field(default_factory=dict)
    """The columns that the user chose, by list."""
    history: TypedHistory = field(default_factory=TypedHistory)
    """The filters and commands typed last."""
    acknowledgements: Acknowledgements = field(default_factory=lambda: Acknowledgements(None))
    """The findings that the user has acknowledged."""
    replay: ReplaySession | None = None
    """The recording that is shown in place of a cluster."""
    _live_findings: tuple[float, tuple[Finding, ...]] | None = None
    """When `live_findings` was last computed, and its value."""
    _findings_interval: float = CACHE_SECONDS
    """Seconds for which `live_findings` are reused."""
    _frozen_findings: tuple[object, tuple[Finding, ...]] | None = None
    """The frozen state that `findings` was last computed of, and its value."""
    _first_found: FirstFound = field(default_factory=FirstFound)
    _snapshot: tuple[float, ClusterState] | None = None
    """When the screen was frozen, and its state then."""
    _wanted_at: float | None = None
    """A time in memory that the frozen screen has yet to show."""
    moment: Moment | None = None
    """The minute of the history that a frozen screen shows; None for what is in memory."""
    _columns_read: bool = False
    _shown: ShownState = field(init=False)
    stored_series: StoredSeries = field(init=False)
    """The values of the history that charts need."""
    moments: StoredMoments = field(init=False)
    """The minutes of the history to which a frozen screen goes back."""
    deploys: DeployEffects = field(init=False)
    """The latest deploy, and its effects."""
    _progress_unavailable: tuple[float, str | None] | None = None
    """When `progress_unavailable` was last looked up, and its value."""
    _paused_queues: tuple[float, Mapping[str, PauseQueue]] | None = None
    """When `paused_queues` was last looked up, and its value."""

    def __post_init__(self) -> None:
        self._shown = ShownState(self.session.state)
        self.stored_series = StoredSeries(self.session.history.charts, self.session.history.stored)
        self.moments = StoredMoments(self.session.history.stored)
        self.deploys = DeployEffects(
            self.session.history.stored,
            self.stored_series,
            lambda: self.state.series.marks,
            self.now,
        )

    @property
    def state(self) -> ClusterState:
        """The model as the screen shows it, always the same object; operations use `live`."""
        return cast("ClusterState", self._shown)

    @property
    def live(self) -> ClusterState:
        """The model as it is now."""
        return self.session.state

    @property
    def read_only_reason(self) -> str:
        """Why operations are unavailable in read-only mode."""
        return READ_ONLY if self.replay is None else RECORDED

    @property
    def ascii(self) -> bool:
        """Whether only ASCII may be drawn."""
        return self.glyphs is ASCII

    @property
    def times(self) -> str:
        """How times are shown: one of `TIMES`."""
        return "relative" if self.relative else "utc" if self.utc else "local"

    @times.setter
    def times(self, how: str) -> None:
        self.relative = how == "relative"
        self.utc = how == "utc" or (self.relative and self.settings.timezone == "utc")

    @property
    def chart_seconds(self) -> int:
        """The time that charts cover: until it is chosen, it grows with what is recorded."""
        if self.chart_window is not None:
            return self.chart_window
        series = self.state.series
        short, long = INITIAL_WINDOWS
        return long if series.recorded_seconds > long / 2 else short

    @chart_seconds.setter
    def chart_seconds(self, seconds: int) -> None:
        self.chart_window = seconds

    @property
    def frozen(self) -> bool:
        """Whether the body of the screen shows a snapshot."""
        return self.frozen_at is not None

    @property
    def held_back(self) -> int:
        """How many events were received since the screen was frozen."""
        return self.live.totals.events - self.state.totals.events

    def freeze(self) -> None:
        """Keep what the screen shows as it is."""
        self.frozen_at = self.clock()
        self._snapshot = self.frozen_at, frozen_copy(self.live)
        self._shown.state = self._snapshot[1]
        self.moments.find_first()

    @property
    def stepped_back(self) -> bool:
        """Whether the frozen screen shows an earlier time than that of the freeze."""
        return self._snapshot is not None and self.now() < self._snapshot[0]

    def step_time(self, steps: int) -> bool:
        """Show the frozen state of an earlier or later time; a step is a sixtieth of the charts.

        What is older than the last hour, or than celtop, is read from the history in steps of at
        least a minute. `take_moment` shows it: while a key is held down, only the last time.

        Returns:
            Whether there is such a time.
        """
        if self._snapshot is None:
            return False
        first, first_at = self._first_in_memory, self.moments.first_at
        before = self.moments.wanted_at or self._wanted_at or self.now()
        at = before + steps * max(STEP, self.chart_seconds // STEPS_PER_CHART)
        if at < first and first_at < first:
            at = max(_other_minute(before, at), first_at)
            if at != before:
                self.moments.ask(at, later=steps > 0)
            return at != before
        self.moments.cancel()
        self._wanted_at = self._in_memory(at)
        return self._wanted_at != before

    @property
    def _first_in_memory(self) -> float:
        """The first time of the last hour that the frozen state has, epoch seconds."""
        assert self._snapshot is not None
        series = self._snapshot[1].series
        return max(series.cluster.first or series.newest, series.newest - STEPS + 1) * STEP

    def _in_memory(self, at: float) -> float:
        """Return the time in memory that is nearest to another."""
        assert self._snapshot is not None
        return min(max(at, self._first_in_memory), self._snapshot[0])

    def _show_memory(self, at: float) -> bool:
        """Show the frozen state of a time in memory; return whether that changes the screen."""
        assert self._snapshot is not None
        frozen_at, snapshot = self._snapshot
        if at == self.now():
            return False
        self.frozen_at, self.moment = at, None
        self._shown.state = snapshot if at == frozen_at else state_at(snapshot, at)
        return True

    def take_moment(self) -> bool:
        """Show the time that `step_time` asked for; return whether that changes the screen."""
        if self._snapshot is None:
            return False
        if self._wanted_at is not None:
            at, self._wanted_at = self._wanted_at, None
            return self._show_memory(at)
        if not self.moments.answered:
            return False
        later, found = self.moments.later, self.moments.take()
        first = self._first_in_memory
        if found is None or found.at >= first:
            # Nothing was recorded between the history and what is in memory.
            return later and not self.moments.fault and self._show_memory(self._in_memory(first))
        self.frozen_at, self.moment = found.at, found
        self._shown.state = stored_state(
            self._snapshot[1], found.at, found.stored, found.failures, found.log
        )
        return True

    @property
    def at_first_record(self) -> bool:
        """Whether the frozen screen shows the earliest time that is known."""
        if self._snapshot is None:
            return False
        return self.now() <= min(self._first_in_memory, self.moments.first_at)

    @property
    def rates_known(self) -> bool:
        """Whether the rates of the time that the screen shows were recorded."""
        if self.moment is not None:
            return bool(self.moment.counts)
        recorded = self.state.series.cluster
        return not self.stepped_back or recorded.at("succeeded", self.now()) is not None

    def unfreeze(self) -> None:
        """Show the live model again."""
        self.frozen_at = self._snapshot = self.moment = self._wanted_at = None
        self.moments.cancel()
        self._shown.state = self.live

    def current(self, row: R) -> R:
        """Return a task, worker, queue or task type as it is now; itself if it is gone."""
        if not self.frozen:
            return row
        live = self.live
        held: dict[type, Mapping[str, Any]] = {
            Task: live.tasks,
            Worker: live.workers,
            Queue: live.queues,
            TaskType: live.types,
        }
        return cast(R, held.get(type(row), {}).get(getattr(row, "id", ""), row))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings for the screen, the worst first."""
        if self.moment is not None:
            return self.moment.findings
        return self.live_findings if self._shown.state is self.live else self._shown_findings()

    @property
    def live_findings(self) -> tuple[Finding, ...]:
        """What needs attention now, the worst first.

        It is computed at most once a second, and in a large cluster in at most a hundredth of the
        time.
        """
        now, held = self.clock(), self._live_findings
        if held is None or not 0 < now - held[0] < self._findings_interval:
            started = time.perf_counter()
            found = findings(self.live, now)
            held = self._live_findings = now, self._first_found.update(found, now)
            cost = time.perf_counter() - started
            self._findings_interval = max(CACHE_SECONDS, cost / FINDINGS_SHARE)
            self.acknowledgements.update(held[1], now)
        return held[1]

    def _shown_findings(self) -> tuple[Finding, ...]:
        """Return the findings of a frozen state, which does not change."""
        state, held = self._shown.state, self._frozen_findings
        if held is None or held[0] is not state:
            found = findings(state, self.now())
            held = self._frozen_findings = state, self._first_found.dated(found)
        return held[1]

    @property
    def paused_queues(self) -> Mapping[str, PauseQueue]:
        """The queues that celtop has paused, read from their file at most once a second."""
        now = self.clock()
        if self._paused_queues is None or not 0 <= now - self._paused_queues[0] < CACHE_SECONDS:
            self._paused_queues = now, self.session.paused_queues()
        return self._paused_queues[1]

    def read_paused_queues(self) -> None:
        """Look up the paused queues the next time that they are asked for: one may have changed."""
        self._paused_queues = None

    @property
    def lasting(self) -> list[Lasting]:
        """The changes by operations that are in force, the latest last; empty in the usual case."""
        state = self.live
        return lasting(
            state.operations, state.inverses, self.paused_queues, state.workers, state.queues
        )

    @property
    def progress_unavailable(self) -> str | None:
        """Why the progress of tasks is unknown; None if the result backend is being read."""
        now = self.clock()
        if (
            self._progress_unavailable is None
            or not 0 <= now - self._progress_unavailable[0] < CACHE_SECONDS
        ):
            self._progress_unavailable = now, self.session.progress_unavailable
        return self._progress_unavailable[1]

    def read_columns(self) -> None:
        """Read the columns that the user chose, the first time that it is called.

        Raises:
            InvalidFile: The file cannot be read.
        """
        if not self._columns_read:
            self._columns_read = True
            from ..files.columns_file import columns_file, read_columns
            from ..files.config_file import InvalidFile

            for name, texts in read_columns().items():
                try:
                    self.column_layouts[name] = parse_layout(texts)
                except ValueError as error:
                    raise InvalidFile(f"Invalid {columns_file()}, [{name}]: {error}") from error

    def now(self) -> float:
        """Return the time of what the screen shows, in epoch seconds; `clock` is the real one."""
        return self.clock() if self.frozen_at is None else self.frozen_at

    def frame(self) -> Frame:
        """Return what the cells of a table need to know of the present frame."""
        now, state = self.now(), self.state
        until = state.broker.observed_until(now)
        return Frame(now, self.glyphs, self.utc, self.relative, state.skews, until)


def _other_minute(before: float, at: float) -> float:
    """Return the last second of the minute of a time; never of the one of the time before."""
    end = end_of_minute(at)
    if end != end_of_minute(before):
        return end
    return end + MINUTE if at > before else end - MINUTE
