"""Lists as commands use them: the rows, orders and search texts of the screens."""

from __future__ import annotations

from pathlib import Path

import pytest
from celtop.export.encoding.tables import plain, table
from celtop.export.lists.document import LISTS
from celtop.export.lists.rows import table_columns
from celtop.lists.listing import LISTINGS
from celtop.model.observations import QueueMeasured
from celtop.model.query.language import EVERY_TASK, parse_query
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.export.conftest import context, run_task
from celtop.tests.tui.fake_session import NOW, cluster, feed

FAILED: dict[str, object] = {"type": "task-failed", "exception": "KeyError('a')", "traceback": "T"}


def ids(state: ClusterState, name: str, text: str = "", sort: str | None = None) -> list[str]:
    listed, shown = LISTINGS[name], context(state)
    rows = listed.rows(shown, text, listed.order_by(shown, sort))
    return [row.id for row in rows]


def test_tasks_are_found_by_the_filter_language() -> None:
    state = ClusterState()
    failed = run_task(state, 1, FAILED)
    run_task(state, 2, {"type": "task-succeeded", "result": "1", "runtime": 1.0})
    listed, shown = LISTINGS["tasks"], context(state)
    order = listed.order_by(shown)
    assert len(listed.rows(shown, EVERY_TASK, order)) == 2
    (row,) = listed.rows(shown, parse_query("state:failure"), order)
    assert row.id == failed


def test_the_newest_task_is_first_and_each_column_has_its_own_direction() -> None:
    state = ClusterState()
    first, second = (run_task(state, number, {}) for number in (1, 2))
    listed, shown = LISTINGS["tasks"], context(state)
    orders = [listed.order_by(shown), listed.order_by(shown, "id"),
              listed.order_by(shown, "id", descending=True)]  # fmt: skip
    found = [[row.id for row in listed.rows(shown, EVERY_TASK, order)] for order in orders]
    assert found == [[second, first], [first, second], [second, first]]


def test_queues_of_the_same_status_are_in_the_order_of_their_names() -> None:
    state = ClusterState()
    for name in ("mail", "billing", "geo"):  # in the order in which replies arrive
        state.observe(QueueMeasured(name, NOW, 0))
    listed, shown = LISTINGS["queues"], context(state)
    found = listed.rows(shown, "", listed.order_by(shown))
    assert [queue.name for queue in found] == ["billing", "geo", "mail"]


def test_a_worker_that_is_cut_keeps_its_host() -> None:
    columns = table_columns(LISTINGS["tasks"].columns(context(ClusterState())))
    worker = next(column for column in columns if column.title == "Worker")
    name = "celery@ip-10-0-12-34.eu-central-1.compute.internal"
    _, line = table([worker], [[(name, "text")]], 18)
    assert plain(line) == "..ip-10-0-12-34.."


def test_a_worker_that_was_lost_is_above_those_that_have_long_been_offline() -> None:
    state = cluster()
    feed(state, [Event("worker-offline", "celery@web-1", NOW)])
    listed, shown = LISTINGS["workers"], context(state, NOW)
    found = listed.rows(shown, "", listed.order_by(shown))
    assert [one.name for one in found] == ["celery@web-1", "celery@geo-2", "celery@geo-1"]


@pytest.mark.parametrize("name", LISTINGS)
def test_a_task_name_that_is_cut_keeps_its_last_part(name: str) -> None:
    """The first parts of dotted names are often the same, so that rows would look alike."""
    columns = LISTINGS[name].columns(context(ClusterState()))
    assert all(column.keeps_end for column in columns if column.title == "Task")


@pytest.mark.parametrize("name", [name for name in LISTINGS if name != "tasks"])
def test_words_search_the_text_of_the_screen(name: str) -> None:
    state = cluster(30)
    run_task(state, 1, FAILED)
    state.take_changes()
    everything = ids(state, name)
    assert ids(state, name, "no-such-word") == []
    if everything:
        word = everything[0].split()[0].lstrip("=")
        assert everything[0] in ids(state, name, f'"{word}"')


@pytest.mark.parametrize("name", LISTINGS)
def test_every_column_that_sorts_does_so(name: str) -> None:
    state = cluster(30)
    shown = context(state)
    state.take_changes()
    everything = set(ids(state, name))
    for column in LISTINGS[name].sort_ids(shown):
        assert set(ids(state, name, sort=column)) == everything


def test_all_lists_can_be_exported() -> None:
    assert LISTS.keys() == LISTINGS.keys()
    shown = context(ClusterState())
    for name, kind in LISTS.items():
        assert kind.values.keys() <= set(LISTINGS[name].column_ids(shown)), name


def test_all_columns_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "output.md").read_text()
    shown = context(ClusterState())
    for name, listed in LISTINGS.items():
        sortable = listed.sort_ids(shown)
        marked = (f"`{id_}`{'' if id_ in sortable else '*'}" for id_ in listed.column_ids(shown))
        assert f"| `{name}` | {' '.join(marked)} |" in text
