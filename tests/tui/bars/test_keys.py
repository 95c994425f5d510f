"""The footer: what it leaves out when there is little room."""

from __future__ import annotations

from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import make_app
from celtop.tests.tui.fake_session import NOW
from celtop.tui.bars.keys import Here, KeyBar

WORKER = Here(
    selection=tuple((id_, "") for id_ in ("worker.drain", "pool.grow", "pool.shrink")),
    general=tuple(
        (id_, "")
        for id_ in ("open", "filter", "act.menu", "command", "freeze", "error", "help", "quit")
    ),
)


def footer(width: int, here: Here, state: ClusterState | None = None) -> tuple[str, str]:
    app, _ = make_app(state)
    bar = KeyBar()
    bar.paint(app.context, "workers", here, with_connection=state is not None)
    left, right = bar._fitting(width)
    return tuple("".join(" " * one.gap + one.text for one in parts) for parts in (left, right))  # type: ignore[return-value]


def test_the_first_keys_of_a_row_and_opening_it_stay_before_its_other_keys() -> None:
    _, right = footer(80, WORKER)
    assert "D drain  + grow  enter open" in right and "- shrink" not in right
    assert right.rstrip().endswith("? help  q quit")


def test_names_of_the_last_views_go_before_the_core_keys() -> None:
    left, right = footer(120, Here(general=WORKER.general))
    assert left.startswith(" 1 Overview 2 Tasks 3 Workers")
    assert "enter open  / filter  A operations  e errors  ? help  q quit" in right
    assert " 1 Overview" not in footer(60, WORKER)[0] and " 3 Workers" in footer(60, WORKER)[0]


def test_marked_rows_keep_their_keys() -> None:
    keys = (("task.revoke", ""), ("task.terminate", ""), ("task.retry", ""))
    _, right = footer(84, Here("3 marked:", keys, WORKER.general))
    assert "3 marked:  X revoke  K terminate  R retry" in right


def test_help_stays_before_the_details_of_a_fault() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 60))
    state.observe(ConnectionChanged("blocked", NOW - 50, Fault("blocked", "low on memory", "")))
    _, right = footer(100, Here(general=WORKER.general), state)
    assert "blocked, data" in right and "blocked: blocked" not in right
    _, right = footer(50, Here(general=WORKER.general), state)
    assert "? help  q quit" in right and right.rstrip().endswith("blocked")
