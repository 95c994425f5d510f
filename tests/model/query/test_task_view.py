from __future__ import annotations

import dataclasses
from unittest.mock import patch

import msgspec
import pytest
from celtop.model.entities.changes import Changes
from celtop.model.entities.clock_skew import NO_SKEWS, ClockSkews
from celtop.model.entities.states import CELERY_STATES, FAULTY
from celtop.model.entities.task import Progress, Task
from celtop.model.query import task_view
from celtop.model.query.language import Query, parse_query
from celtop.model.query.order import SORT_KEYS, Order
from celtop.model.query.row_list import RowList
from celtop.model.query.task_view import MAX_SINGLE_MOVES, HoldsTasks, TaskView
from celtop.model.state import ClusterState
from celtop.model.wire.events import decode
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_000_000.0


class Store:
    """Holds tasks and their changes like `ClusterState`."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.skews: ClockSkews = NO_SKEWS
        self.arrivals = 0
        self.taken_arrivals = 0
        self.changed: dict[str, Task] = {}
        self.evicted: list[Task] = []

    def put(self, task_id: str, **fields: object) -> Task:
        task = self.tasks.get(task_id)
        if task is None:
            self.arrivals += 1
            task = self.tasks[task_id] = Task(id=task_id, arrival=self.arrivals)
        for name, value in fields.items():
            setattr(task, name, value)
        task.version += 1
        self.changed[task_id] = task
        return task

    def evict(self, task_id: str) -> None:
        task = self.tasks.pop(task_id)
        self.changed.pop(task_id, None)
        if task.arrival <= self.taken_arrivals:
            self.evicted.append(task)

    def take_changes(self) -> Changes:
        taken = Changes(self.changed, self.evicted, False)
        self.changed, self.evicted, self.taken_arrivals = {}, [], self.arrivals
        return taken


def expected(
    store: HoldsTasks, query: Query, order: Order, faults_only: bool, now: float
) -> list[Task]:
    kept = [
        task
        for task in store.tasks.values()
        if query.matches(task, now) and (not faults_only or task.state in FAULTY)
    ]
    kept.sort(key=lambda task: -task.arrival)
    value_of = SORT_KEYS[order.key]
    known = [task for task in kept if value_of(task, now) is not None]
    known.sort(key=lambda task: value_of(task, now), reverse=order.descending)
    return known + [task for task in kept if value_of(task, now) is None]


def check(view: TaskView, store: HoldsTasks, now: float) -> None:
    wanted = expected(store, view.query, view.order, view.faults_only, now)
    assert [task.id for task in view] == [task.id for task in wanted]
    assert len(view) == len(wanted)
    for place, task in enumerate(wanted):
        assert view[place] is task
        assert view.index(task.id) == place
    for task_id in store.tasks.keys() - {task.id for task in wanted}:
        assert view.index(task_id) is None


IDS = st.sampled_from([f"t{number}" for number in range(12)])
MAYBE_TIME = st.none() | st.integers(0, 9).map(lambda seconds: NOW - seconds * 100)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from([*CELERY_STATES, "PROGRESS"]),
        "name": st.none() | st.sampled_from(["a.x", "b.y", "c"]),
        "worker": st.none() | st.sampled_from(["w1", "w2"]),
        "args": st.none() | st.just("(1,)"),
        "sent_at": MAYBE_TIME,
        "started_at": MAYBE_TIME,
        "finished_at": MAYBE_TIME,
        "runtime": st.none() | st.floats(0, 5),
        "retries": st.integers(0, 2),
        "progress": st.none() | st.floats(0, 1).map(lambda part: Progress(fraction=part)),
    },
)
QUERIES = st.sampled_from(
    [
        *("", "state:failure,success", "!name:a", "w1", "name:~^[ab]", "retries:>0 !worker:w2"),
        *("foo:x", "age:<250s", "runtime:>150s"),
    ]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), IDS, FIELDS),
        st.tuples(st.just("put"), IDS, FIELDS),
        st.tuples(st.just("evict"), IDS),
        st.tuples(st.just("apply")),
        st.tuples(st.just("query"), QUERIES),
        st.tuples(st.just("order"), st.sampled_from(sorted(SORT_KEYS)), st.booleans()),
        st.tuples(st.just("faults"), st.booleans()),
        st.tuples(st.just("freeze")),
        st.tuples(st.just("wait"), st.sampled_from([0.2, 1.0, 90.0])),
    ),
    max_size=40,
)


@patch.object(task_view, "TASKS_PER_LOOK", 1)
@given(STEPS, st.booleans())
def test_a_view_equals_the_filtered_sorted_tasks_after_anything(
    steps: list[tuple[object, ...]], one_by_one: bool
) -> None:
    store, now = Store(), NOW
    # A clock on which every look uses up the budget.
    ticks = iter(range(10**9))
    clock = (lambda: float(next(ticks))) if one_by_one else None
    view = TaskView(store, now=now, clock=clock)

    def settle() -> None:
        nonlocal now
        now += 1.0
        view.apply(store.take_changes(), now)
        while view.unseen:
            view.apply(store.take_changes(), now)
        check(view, store, now)

    for step in steps:
        match step:
            case ("put", str(task_id), dict(fields)):
                store.put(task_id, **fields)
            case ("evict", str(task_id)) if task_id in store.tasks:
                store.evict(task_id)
            case ("apply",):
                view.apply(store.take_changes(), now)
            case ("query", str(text)):
                view.set_query(parse_query(text), now)
            case ("order", str(key), bool(descending)):
                view.set_order(key, descending)
            case ("faults", bool(faults_only)):
                view.set_faults_only(faults_only)
            case ("freeze",):
                store.take_changes()
                view.refresh(now)
            case ("wait", float(seconds)):
                now += seconds
                settle()
    settle()


def filled(count: int) -> Store:
    store = Store()
    for number in range(count):
        store.put(f"t{number}", name=f"n{number * 7 % 10}", state="SUCCESS", sent_at=NOW)
    store.take_changes()
    return store


@pytest.mark.parametrize("order", [Order(), Order("name", False), Order("name", True)])
@pytest.mark.parametrize("changes", [1, MAX_SINGLE_MOVES, MAX_SINGLE_MOVES * 5])
def test_few_and_many_changes_at_once(order: Order, changes: int) -> None:
    store = filled(1000)
    view = TaskView(store, parse_query("!state:failure"), order, now=NOW)
    for number in range(0, changes * 3, 3):
        store.put(f"t{number}", name=f"n{number % 4}")
        store.put(f"t{number + 1}", state="FAILURE")
        store.put(f"new{number}", name="n5", state="STARTED")
        store.evict(f"t{number + 2}")
    before = len(view)
    view.apply(store.take_changes(), NOW)
    assert len(view) == before + changes - changes * 2
    check(view, store, NOW)


def test_only_new_tasks_move_rows_in_the_order_of_arrival() -> None:
    store = filled(3)
    view = TaskView(store)
    store.put("t1", state="FAILURE")
    view.apply(store.take_changes(), NOW)
    assert [task.id for task in view] == ["t2", "t1", "t0"]
    store.put("t3")
    view.apply(store.take_changes(), NOW)
    assert [task.id for task in view] == ["t3", "t2", "t1", "t0"]


def test_a_view_follows_the_model() -> None:
    state = ClusterState(max_tasks=40)
    views = [
        TaskView(state, parse_query(text), order, now=NOW)
        for text in ("", "state:started,success", "!w1")
        for order in (Order(), Order("name", False), Order("runtime", True))
    ]
    for number in range(120):
        for step, type_ in enumerate(("task-received", "task-started", "task-succeeded")):
            if number % 3 >= step:
                task = {"uuid": f"t{number}", "name": f"app.{number % 7}", "hostname": "w1@a"}
                time = {"timestamp": NOW + number + step / 10, "runtime": number % 5, "clock": 1}
                event = {"type": type_, **task, **time, "utcoffset": 0, "pid": 1}
                state.observe(decode(msgspec.json.encode(event), NOW))
        if number % 4 == 0:
            changes = state.take_changes()
            for view in views:
                view.apply(changes, NOW)
                check(view, state, NOW)
    assert state.totals.evicted
    assert len(views[0]) <= 40


def test_unchanged_tasks_are_not_tested_again() -> None:
    store = filled(500)
    looked: list[str] = []

    def matches(task: Task, now: float) -> bool:
        looked.append(task.id)
        return True

    view = TaskView(
        store, dataclasses.replace(parse_query("n"), matches=matches), Order("name", False)
    )
    looked.clear()
    store.put("t7", name="a")
    view.apply(store.take_changes(), NOW + 10)
    assert looked == ["t7"]
    assert view[0].id == "t7"


def test_a_frozen_view_keeps_showing_evicted_tasks() -> None:
    store = filled(3)
    view = TaskView(store)
    store.evict("t1")
    store.put("t3")
    assert [task.id for task in view] == ["t2", "t1", "t0"]
    assert view.index("t1") == 1
    view.refresh(NOW)
    assert [task.id for task in view] == ["t3", "t2", "t0"]


def test_only_tasks_in_a_state_of_the_filter_are_tested_again() -> None:
    store = Store()
    for number in range(9):
        store.put(f"t{number}", state="SUCCESS" if number else "STARTED")
    view = TaskView(store, parse_query("state:running"))
    tested: list[str] = []
    query, matches = view.query, view.query.matches

    def test(task: Task, now: float) -> bool:
        tested.append(task.id)
        return matches(task, now)

    view.query = dataclasses.replace(query, matches=test)
    store.put("t0", state="FAILURE")
    store.put("t5", state="STARTED")
    view.refresh(NOW)
    assert tested == ["t5"]
    assert [task.id for task in view] == ["t5"]


def test_a_task_that_returns_after_its_eviction_is_the_new_one() -> None:
    store = filled(2)
    view = TaskView(store)
    store.evict("t0")
    new = store.put("t0")
    view.apply(store.take_changes(), NOW)
    assert view[0] is new
    assert len(view) == 2


def test_a_task_added_and_evicted_between_two_frames_is_not_shown() -> None:
    store = filled(1)
    view = TaskView(store)
    store.put("short")
    store.evict("short")
    view.apply(store.take_changes(), NOW)
    assert [task.id for task in view] == ["t0"]


def test_a_task_evicted_after_a_new_filter_is_not_shown() -> None:
    store = filled(1)
    view = TaskView(store)
    store.put("short")
    view.set_query(parse_query("!state:failure"))
    assert view.index("short") == 0
    store.evict("short")
    assert store.evicted == []
    view.apply(store.take_changes(), NOW)
    assert [task.id for task in view] == ["t0"]


@patch.object(task_view, "TASKS_PER_LOOK", 1)
def test_a_long_search_shows_the_newest_first_and_continues() -> None:
    store = filled(10)
    seconds = iter(range(1000))
    view = TaskView(store, clock=lambda: float(next(seconds)), budget=3.0)
    view.set_query(parse_query("state:success"))
    assert [task.id for task in view] == ["t9", "t8", "t7"]
    assert view.unseen == 7
    store.put("t0", state="FAILURE")
    while view.unseen:
        view.apply(store.take_changes(), NOW)
    assert [task.id for task in view] == [f"t{number}" for number in range(9, 0, -1)]


@patch.object(task_view, "TASKS_PER_LOOK", 1)
def test_an_order_by_arrival_chosen_meanwhile_has_all_tasks_in_the_end() -> None:
    store = filled(10)
    seconds = iter(range(1000))
    view = TaskView(store, clock=lambda: float(next(seconds)), budget=3.0)
    view.set_order("name", descending=False)
    view.set_query(parse_query(""))
    assert view.unseen
    view.set_order("arrival", descending=True)
    store.put("t0", state="FAILURE")
    while view.unseen:
        view.apply(store.take_changes(), NOW)
    check(view, store, NOW)


def test_time_moves_tasks_in_and_out_of_filters_by_age_and_runtime() -> None:
    store = Store()
    store.put("a", sent_at=NOW - 8)
    store.put("b", sent_at=NOW, state="STARTED", started_at=NOW)
    nothing = Changes({}, [], False)
    young = TaskView(store, parse_query("age:<10s"), now=NOW)
    long = TaskView(store, parse_query("runtime:>5s"), now=NOW)
    assert [task.id for task in young] == ["b", "a"]
    young.apply(nothing, NOW + 3)
    long.apply(nothing, NOW + 3)
    assert [task.id for task in young] == ["b"]
    assert list(long) == []
    long.apply(nothing, NOW + 6)
    assert [task.id for task in long] == ["b"]


def test_an_order_by_runtime_follows_running_tasks() -> None:
    store = Store()
    store.put("done", state="SUCCESS", started_at=NOW - 50, finished_at=NOW, runtime=10.0)
    store.put("runs", state="STARTED", started_at=NOW - 5)
    view = TaskView(store, order=Order("runtime", True), now=NOW)
    assert [task.id for task in view] == ["done", "runs"]
    store.take_changes()
    view.apply(store.take_changes(), NOW + 0.5)
    assert [task.id for task in view] == ["done", "runs"]
    view.apply(store.take_changes(), NOW + 6)
    assert [task.id for task in view] == ["runs", "done"]


def test_an_index_outside_the_view_is_an_error() -> None:
    view = TaskView(filled(2))
    for index in (-1, 2):
        with pytest.raises(IndexError):
            view[index]
    with pytest.raises(KeyError):
        view.set_order("nonsense", False)


@dataclasses.dataclass
class Row:
    name: str
    load: float | None


def test_a_row_list_sorts_filters_and_finds() -> None:
    rows = [Row("web-1", 0.5), Row("geo-1", None), Row("geo-2", 2.0)]
    table: RowList[Row] = RowList(
        lambda: rows,
        lambda row: row.name,
        {"name": lambda row: row.name, "load": lambda row: row.load},
        Order("name", False),
    )
    assert [row.name for row in table] == ["geo-1", "geo-2", "web-1"]
    assert [table.index(name) for name in ("geo-1", "web-1", "none")] == [0, 2, None]
    table.set_order("load", True)
    assert [row.name for row in table] == ["geo-2", "web-1", "geo-1"]
    table.set_order("load", False)
    assert [row.name for row in table] == ["web-1", "geo-2", "geo-1"], "unknown is last"
    table.set_filter("GEO !2")
    assert [row.name for row in table] == ["geo-1"]
    rows.append(Row("geo-9", 1.0))
    assert len(table) == 1
    table.refresh()
    assert len(table) == 2
    assert table[0].name == "geo-9"
    assert table.index("geo-9") == 0
    assert table.get("geo-9") is rows[-1] and table.get("web-1") is None
    with pytest.raises(IndexError):
        table[-1]
    with pytest.raises(KeyError):
        table.set_order("nonsense", False)


def test_a_clock_skew_moves_rows_without_filtering_all_tasks_again() -> None:
    store = Store()
    store.put("a", state="STARTED", worker="w", started_at=NOW - 10)
    store.put("b", state="STARTED", worker="x", started_at=NOW - 5)
    store.put("c", state="SUCCESS")
    query = parse_query("state:STARTED")
    checked: list[str] = []

    def matches(task: Task, now: float) -> bool:
        checked.append(task.id)
        return query.matches(task, now)

    view = TaskView(
        store, dataclasses.replace(query, matches=matches), Order("runtime", True), now=NOW
    )
    assert [task.id for task in view] == ["a", "b"]
    checked.clear()
    store.skews = {"w": -8.0}
    view.apply(Changes({}, [], False), NOW)
    assert [task.id for task in view] == ["b", "a"]
    assert sorted(checked) == ["a", "b"]
