"""A session without threads or broker, and the events of a small cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Literal

import msgspec
from celtop.cluster.history.stored_history import StoredHistory
from celtop.cluster.session import Pumped
from celtop.model.entities.changes import Changes
from celtop.model.entities.cluster.cluster_status import ClusterStatus
from celtop.model.entities.fault import Fault
from celtop.model.entities.result import ResultMeta
from celtop.model.lookup import TaskLookup
from celtop.model.observations import (
    ConnectionChanged,
    HistorySearched,
    InspectReply,
    LatencyMeasured,
    LogMessage,
    Observation,
    OperationChanged,
    QuestionsAnswered,
    QueueMeasured,
    QueuePeeked,
)
from celtop.model.operations.call import Recovered, SentTask
from celtop.model.operations.commands import Operation, PauseQueue, PurgeResults
from celtop.model.operations.inverse import inverse
from celtop.model.operations.kept_change import KeptChange
from celtop.model.operations.outcome import Outcome
from celtop.model.query.language import Query
from celtop.model.routing import routing
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch

NOW = 1_800_000_000.0
"""2027-01-15 08:00:00 UTC."""


class FakeOperation:
    """An operation whose outcome a test decides; the model learns of it as from a real one."""

    def __init__(self, outcome: Outcome, session: FakeSession) -> None:
        self.outcome = outcome
        self.cancelled = False
        self._session = session

    def cancel(self) -> None:
        self.cancelled = True

    def change(self, **changes: Any) -> None:
        """Report changes of the outcome."""
        self.outcome = msgspec.structs.replace(self.outcome, **changes)
        self._session.put(OperationChanged(self.outcome, NOW))

    def end(self, **changes: Any) -> None:
        """Report the end, with changes of the outcome."""
        self.change(ended_at=NOW, **changes)


class FakeHistory:
    """What a session has of the history."""

    def __init__(self) -> None:
        self.found: Future[Sequence[ClusterStatus]] = Future()
        """The clusters of the history; a test may set it before or after."""
        self.stored: StoredHistory | None = None
        """What reads the history; see `celtop.tests.tui.stored`."""

    @property
    def charts(self) -> StoredHistory | None:
        return self.stored

    def clusters(self, now: float) -> Future[Sequence[ClusterStatus]]:
        return self.found

    def end(self, now: float) -> None:
        pass


class FakeSession:
    """What the app needs of a session, without a broker: a test puts observations into it."""

    def __init__(self, state: ClusterState | None = None) -> None:
        self.state = state or ClusterState()
        self.waiting: list[Observation] = []
        self.topics: frozenset[str] = frozenset()
        self.started = self.stopped = False
        self.refreshes = 0
        self.wake: Callable[[], object] | None = None
        """The callback for when there is something to pump."""
        self.read_only = False
        self.done: list[Operation] = []
        """The operations that were started, in order."""
        self.operations: list[FakeOperation] = []
        self.asked: list[tuple[str, ...]] = []
        """Of which tasks it was asked what was sent."""
        self.recovering: Future[tuple[Recovered, ...]] = Future()
        """What is answered to that; a test may set it before or after."""
        self.recovered: dict[str, Recovered] = {}
        """What is found of a task, if not what the model alone has."""
        self.originals: dict[str, SentTask] = {}
        self.results: dict[str, ResultMeta] = {}
        self.peeking: Future[QueuePeeked] = Future()
        self.peeked: list[tuple[str | None, int, str | None]] = []
        self.searched: list[str] = []
        """The filters by which the result backend was searched."""
        self.purge_plan: Future[PurgeResults] = Future()
        self.searching: Future[HistorySearched] = Future()
        self.read: list[tuple[str, ...]] = []
        """The ids whose results were requested once."""
        self.held: dict[str, PauseQueue] = {}
        self.kept: list[KeptChange] = []
        self.progress_unavailable: str | None = None
        self.lookup: Future[TaskLookup] = Future()
        self.looked_up: list[str] = []
        self.lookups = self
        self.cluster = "demo"
        self.history = FakeHistory()
        self.watched: tuple[str, ...] = ()
        """The ids whose results are being followed."""

    @property
    def backlog(self) -> int:
        return len(self.waiting)

    def start(self) -> None:
        self.started = True

    def stop(self, timeout: float = 2.0) -> None:
        self.stopped = True

    def put(self, observation: Observation) -> None:
        """Leave an observation to be pumped."""
        self.waiting.append(observation)
        wake, self.wake = self.wake, None
        if wake is not None:
            wake()

    def log(self, level: Literal["info", "warning", "error"], source: str, text: str) -> None:
        self.put(LogMessage(level, source, text, NOW))

    def pump(self, now: float, budget: float) -> Pumped:
        applied = len(self.waiting)
        for observation in self.waiting:
            self.state.observe(observation)
        self.waiting.clear()
        return Pumped(applied, False)

    def tick(self, now: float) -> None:
        self.state.tick(now)

    def take_changes(self, now: float) -> Changes:
        return self.state.take_changes()

    def call_on_update(self, wake: Callable[[], object]) -> None:
        self.wake = wake

    def refresh(self) -> None:
        self.refreshes += 1

    def do(self, command: Operation) -> FakeOperation:
        number = len(self.operations) + 1
        earlier = [outcome.inverse for outcome in self.state.operations.values()]
        undo = inverse(command, self.state.workers, earlier)
        operation = FakeOperation(Outcome(number, command, NOW, inverse=undo), self)
        self.done.append(command)
        self.operations.append(operation)
        return operation

    def recover_calls(
        self, ids: Sequence[str], *, for_retry: bool = False
    ) -> Future[tuple[Recovered, ...]]:
        known = [self.state.tasks[id_] for id_ in ids if id_ in self.state.tasks]
        if for_retry or not all(task.finished for task in known):
            self.asked.append(tuple(ids))
            return self.recovering
        found: Future[tuple[Recovered, ...]] = Future()
        found.set_result(tuple(map(self._recovered, ids)))
        return found

    def _recovered(self, id_: str) -> Recovered:
        from celtop.cluster.lookup.best_source import best_source, known_task

        if id_ in self.recovered:
            return self.recovered[id_]
        return best_source(known_task(id_, self.state), routing(self.state, {}))

    def has_links(self, original: SentTask) -> bool:
        from celtop.cluster.operations.tasks.links import has_links

        return original.message is not None and has_links(original.message)

    def sent_task(self, id_: str) -> Recovered | None:
        return self.originals.get(id_)

    def result(self, id_: str) -> Future[ResultMeta | None]:
        found: Future[ResultMeta | None] = Future()
        found.set_result(self.results.get(id_))
        return found

    def peek(
        self, queue: str | None, most: int, task: str | None = None, skip: int = 0
    ) -> Future[QueuePeeked]:
        self.peeked.append((queue, most, task))
        return self.peeking

    def read_revoked(self) -> Future[None]:
        return Future()

    def search_history(
        self,
        query: Query,
        text: str | None = None,
        limit: int | None = None,
        timeout: float = 10.0,
    ) -> Future[HistorySearched]:
        self.searched.append(query.text if text is None else text)
        return self.searching

    def plan_results_purge(self, filter_text: str, *, utc: bool = False) -> Future[PurgeResults]:
        return self.purge_plan

    def find_task(self, id_: str) -> Future[TaskLookup]:
        self.looked_up.append(id_)
        return self.lookup

    def paused_queues(self) -> Mapping[str, PauseQueue]:
        return self.held

    def kept_changes(self, now: float) -> Sequence[KeptChange]:
        return self.kept

    def read_results(self, ids: Sequence[str]) -> None:
        self.read.append(tuple(ids))

    def watch_results(self, ids: Sequence[str]) -> None:
        self.watched = tuple(ids)

    def watch(self, topics: frozenset[str]) -> None:
        self.topics = topics


def feed(state: ClusterState, events: Iterable[Event]) -> None:
    """Apply events, each at its own time."""
    for event in events:
        state.observe(EventBatch((event,), event.timestamp))


def task_events(
    number: int,
    name: str,
    *,
    worker: str = "celery@web-1",
    queue: str = "celery",
    at: float = NOW - 60,
    args: str = "()",
    kwargs: str = "{}",
    runtime: float = 0.5,
    end: str | None = "succeeded",
    **told: Any,
) -> list[Event]:
    """Return the events of a task from sending to its end; `end` None leaves it running."""
    uuid = told.pop("uuid", f"{number:08x}-0000-4000-8000-{number:012x}")
    common: dict[str, Any] = {"hostname": worker, "uuid": uuid}
    events = [
        Event(
            "task-sent",
            "gen1@web",
            at - 0.2,
            uuid=uuid,
            name=name,
            args=args,
            kwargs=kwargs,
            queue=queue,
            root_id=told.get("root_id", uuid),
            parent_id=told.get("parent_id"),
            retries=0,
        ),
        Event(
            "task-received",
            timestamp=at,
            name=name,
            args=args,
            kwargs=kwargs,
            root_id=told.pop("root_id", uuid),
            parent_id=told.pop("parent_id", None),
            retries=told.pop("retries", 0),
            eta=told.pop("eta", None),
            **common,
        ),
    ]
    if end == "received":
        return events
    events.append(Event("task-started", timestamp=at + 0.1, **common))
    if end is not None:
        if end == "succeeded":
            told = {"result": "None", "runtime": runtime, **told}
        events.append(Event(f"task-{end}", timestamp=at + 0.1 + runtime, **common, **told))
    return events


TRACEBACK = """Traceback (most recent call last):
  File "/usr/lib/python3/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/shop/images/tasks.py", line 41, in download
    response = session.get(url, timeout=5)
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3/site-packages/requests/adapters.py", line 507, in send
    raise ConnectTimeout(e, request=request)
requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='img.example', port=443)
"""


def cluster(tasks: int = 240) -> ClusterState:
    """Return a small shop's cluster: three workers, four queues, tasks in every state."""
    state = ClusterState()
    state.broker.url = "redis://***@10.0.0.5:6379/0"
    state.observe(ConnectionChanged("live", NOW - 700))
    state.observe(LatencyMeasured(0.004, 120))
    state.observe(QuestionsAnswered(("workers",), NOW - 700))
    _workers(state)
    names = ("mail.send", "images.resize", "images.download", "geo.convert_to_raster")
    for number in range(tasks):
        at = NOW - 590 + number * 580 / tasks
        name = names[number % 4]
        worker = "celery@geo-1" if name.startswith("geo") else "celery@web-1"
        queue = "geo_processing" if name.startswith("geo") else "celery"
        if number % 13 == 5:
            exception = "ConnectTimeout(\"HTTPSConnectionPool(host='img.example', port=443)\")"
            ended: dict[str, Any] = {
                "end": "failed",
                "exception": exception,
                "traceback": TRACEBACK,
            }
        elif number % 17 == 3:
            ended = {"end": "retried", "exception": "OperationalError('deadlock detected')"}
        else:
            ended = {"result": f"{{'ok': True, 'bytes': {number * 731}}}"}
        runtime = 0.2 + (number * 7 % 30) / 10
        feed(
            state,
            task_events(
                number,
                name,
                worker=worker,
                queue=queue,
                at=at,
                args=f"({number}, 'item-{number}')",
                kwargs="{'size': [640, 480], 'quality': 0.9}",
                runtime=runtime,
                **ended,
            ),
        )
        state.series.record(at, connected=True)
    _running(state)
    _queues(state)
    state.observe(LogMessage("info", "broker", "asked 3 workers for their stats", NOW - 20))
    _heartbeats(state, NOW - 1)
    for before in (10, 5):
        state.series.record(NOW - before, connected=True)
    state.tick(NOW)
    return state


def _workers(state: ClusterState) -> None:
    for name, pid in (("celery@web-1", 4001), ("celery@geo-1", 4002), ("celery@geo-2", 4003)):
        online = {"freq": 2.0, "sw_ident": "py-celery", "sw_ver": "5.6.3", "sw_sys": "Linux"}
        feed(state, [Event("worker-online", name, NOW - 650, pid=pid, **online)])  # type: ignore[arg-type]
        queue = "geo_processing" if "geo" in name else "celery"
        answers: dict[str, Any] = {
            "stats": {
                "pid": pid,
                "uptime": 86_400 + pid,
                "prefetch_count": 8,
                "clock": "25",
                "broker": {"hostname": "10.0.0.5", "transport": "redis"},
                "pool": {
                    "implementation": "celery.concurrency.prefork:TaskPool",
                    "max-concurrency": 4,
                    "processes": [pid + 10, pid + 11, pid + 12, pid + 13],
                    "max-tasks-per-child": 1000,
                    "timeouts": [300, 600],
                },
                "rusage": {"utime": 812.4, "stime": 61.2, "maxrss": 184_320, "minflt": 91_022,
                           "nvcsw": 120_331, "nivcsw": 5_021},
                "total": {"images.download": 812},
            },
            "active": [],
            "reserved": [],
            "scheduled": [],
            "registered": ["images.download", "images.resize [rate_limit=10/m]", "mail.send"],
            "active_queues": [
                {"name": queue, "routing_key": queue, "exchange": {"name": queue, "type": "direct"}}
            ],
            "conf": {"task_acks_late": True, "worker_prefetch_multiplier": 2},
        }  # fmt: skip
        for command, reply in answers.items():
            state.observe(InspectReply(name, command, reply, NOW - 600))


def _running(state: ClusterState) -> None:
    feed(state, task_events(9001, "geo.convert_to_raster", worker="celery@geo-1",
                            queue="geo_processing", at=NOW - 41, end=None,
                            args="('tile-7.tif',)", kwargs="{'crs': 'EPSG:4326'}"))  # fmt: skip
    uuid = f"{9001:08x}-0000-4000-8000-{9001:012x}"
    progress: dict[str, Any] = {"current": 54, "total": 100, "message": "writing band 2"}
    feed(state, [Event("task-progress", "celery@geo-1", NOW - 2, uuid=uuid, fields=progress)])
    feed(state, task_events(9002, "images.download", at=NOW - 1.4, end=None))
    feed(state, task_events(9003, "reports.weekly", at=NOW - 120, end=None))
    feed(state, task_events(9004, "mail.send", at=NOW - 3, end="received",
                            eta="2027-01-15T08:02:10+00:00"))  # fmt: skip
    feed(state, task_events(9005, "billing.charge", at=NOW - 30, end="revoked", terminated=True,
                            signum="15"))  # fmt: skip


def _queues(state: ClusterState) -> None:
    for at in range(60, -1, -5):
        for name, waiting in (
            ("celery", 3 + at % 7),
            ("geo_processing", 1204 - at * 9),
            ("notifications", 88),
            ("reports", 0),
        ):
            measured = QueueMeasured(name, NOW - at, waiting, unacked=2)
            state.observe(measured)


def _heartbeats(state: ClusterState, now: float) -> None:
    for name, active in (("celery@web-1", 2), ("celery@geo-1", 1)):
        beat = {"freq": 2.0, "active": active, "processed": 4212, "loadavg": (0.32, 0.41, 0.5)}
        feed(state, [Event("worker-heartbeat", name, now, **beat)])  # type: ignore[arg-type]


def refused() -> ClusterState:
    """Return the model of a broker that does not answer."""
    state = ClusterState()
    state.broker.url = "redis://localhost:6379/0"
    fault = Fault(
        "refused",
        "Nothing listens on localhost:6379",
        "Start the broker, or name another with -b or CELTOP_BROKER_URL",
    )
    state.observe(ConnectionChanged("connecting", NOW - 5, fault, 4.0))
    return state
