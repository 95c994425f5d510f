"""The context of all screens: session, model, settings, clock and glyphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from ..bindings.keymap import Keymap
from ..files.acknowledgements import Acknowledgements
from ..files.typed_history import TypedHistory
from ..model.entities.queue import Queue
from ..model.entities.task import Task
from ..model.entities.task_type import TaskType
from ..model.entities.worker import Worker
from ..model.health.finding import Finding
from ..model.operations.lasting import Lasting, lasting
from ..widgets.glyphs import ASCII, Glyphs
from ..widgets.table.column import Frame
from ..widgets.table.layout import Layout, parse_layout
from .findings import ScreenFindings
from .freeze import Freeze
from .history.deploy_effects import DeployEffects
from .history.stored_series import StoredSeries
from .running import RunningOperations
from .seen_hints import SeenHints
from .unrecoverable import UnrecoverableTasks

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.operations.commands import PauseQueue
    from ..model.operations.kept_change import KeptChange
    from ..model.state import ClusterState
    from ..recording.session import ReplaySession
    from ..settings import Settings

R = TypeVar("R")

READ_ONLY: Final = "read-only mode; :rw allows changes"
RECORDED: Final = "this is a recording"
TIMES: Final = ("local", "utc", "relative")
"""How times are shown in tables: in a time zone, or as `41 s ago`."""
INITIAL_WINDOWS: Final = (300, 900)
"""Seconds that charts cover at first, and once half of the second has been recorded."""
CACHE_SECONDS: Final = 1.0
"""How long a value that is expensive to look up is reused."""


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
    operations: RunningOperations = field(default_factory=RunningOperations)
    """The operations that the user has started."""
    unrecoverable: UnrecoverableTasks = field(default_factory=UnrecoverableTasks)
    """The tasks that cannot be retried, if they were looked for."""
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
    freeze: Freeze = field(init=False)
    """What a frozen screen shows."""
    _findings: ScreenFindings = field(init=False, default_factory=ScreenFindings)
    _columns_read: bool = False
    stored_series: StoredSeries = field(init=False)
    """The values of the history that charts need."""
    deploys: DeployEffects = field(init=False)
    """The latest deploy, and its effects."""
    _progress_unavailable: tuple[float, str | None] | None = None
    """When `progress_unavailable` was last looked up, and its value."""
    _paused_queues: tuple[float, Mapping[str, PauseQueue]] | None = None
    """When `paused_queues` was last looked up, and its value."""
    _kept_changes: tuple[float, Sequence[KeptChange]] | None = None
    """When `kept_changes` was last looked up, and its value."""

    def __post_init__(self) -> None:
        stored = self.session.history.stored
        self.freeze = Freeze(lambda: self.live, lambda: self.clock(), stored)
        self.stored_series = StoredSeries(self.session.history.charts, stored)
        self.deploys = DeployEffects(
            stored,
            self.stored_series,
            lambda: self.state.series.marks,
            self.now,
        )

    @property
    def state(self) -> ClusterState:
        """The model as the screen shows it, always the same object; operations use `live`."""
        return self.freeze.state

    @property
    def live(self) -> ClusterState:
        """The model as it is now."""
        return self.session.state

    def is_offline(self, worker: Worker) -> bool:
        """Return whether a worker is offline, so that it replies to nothing."""
        return worker.status(self.live.broker.listening(self.clock())) == "offline"

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
        return self.freeze.at is not None

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
        moment, snapshot = self.freeze.moment, self.freeze.snapshot
        if moment is not None:
            return moment.findings
        if snapshot is not None:
            return self._findings.frozen(snapshot, self.now())
        return self.live_findings

    @property
    def live_findings(self) -> tuple[Finding, ...]:
        """What needs attention now, the worst first, also while the screen is frozen."""
        return self._findings.live(self.live, self.clock(), self.acknowledgements)

    @property
    def paused_queues(self) -> Mapping[str, PauseQueue]:
        """The queues that celtop has paused, read from their file at most once a second."""
        now = self.clock()
        if self._paused_queues is None or not 0 <= now - self._paused_queues[0] < CACHE_SECONDS:
            self._paused_queues = now, self.session.paused_queues()
        return self._paused_queues[1]

    @property
    def kept_changes(self) -> Sequence[KeptChange]:
        """The changes that celtop remembers, read from their file at most once a second."""
        now = self.clock()
        if self._kept_changes is None or not 0 <= now - self._kept_changes[0] < CACHE_SECONDS:
            self._kept_changes = now, self.session.kept_changes(now)
        return self._kept_changes[1]

    def read_lasting(self) -> None:
        """Look up paused queues and changes the next time that they are asked for."""
        self._paused_queues = self._kept_changes = None

    @property
    def lasting(self) -> list[Lasting]:
        """The changes by operations that are in force, the latest last; empty in the usual case."""
        state = self.live
        return lasting(
            state.operations,
            self.kept_changes,
            self.paused_queues,
            state.workers,
            state.queues,
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

    def read_columns(self) -> Sequence[str]:
        """Read the columns that the user chose, the first time that it is called.

        Returns:
            Why the file, or those of a list, cannot be used.
        """
        if self._columns_read:
            return ()
        self._columns_read = True
        from ..files.columns_file import columns_file, read_columns
        from ..files.config_file import InvalidFile

        try:
            chosen, invalid = read_columns()
        except InvalidFile as error:
            return (str(error),)
        problems = list(invalid.values())
        for name, texts in chosen.items():
            try:
                self.column_layouts[name] = parse_layout(texts)
            except ValueError as error:
                problems.append(f"Invalid {columns_file()}, [{name}]: {error}")
        return problems

    def now(self) -> float:
        """Return the time of what the screen shows, in epoch seconds; `clock` is the real one."""
        at = self.freeze.at
        return self.clock() if at is None else at

    def frame(self) -> Frame:
        """Return what the cells of a table need to know of the present frame."""
        now, state = self.now(), self.state
        until = state.broker.observed_until(now)
        return Frame(now, self.glyphs, self.utc, self.relative, state.skews, until)
