"""The footer: what it leaves out when there is little room."""

from __future__ import annotations

from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged
from celtop.model.operations.commands import PauseQueue
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import make_app
from celtop.tests.tui.fake_session import NOW
from celtop.tui.bars.keys import Here, KeyBar
from textual.app import App, ComposeResult

WORKER = Here(
    selection=tuple((id_, "") for id_ in ("worker.drain", "pool.grow", "pool.shrink")),
    general=tuple(
        (id_, "")
        for id_ in ("open", "filter", "act.menu", "command", "freeze", "error", "help", "quit")
    ),
)


async def footer(
    width: int,
    here: Here,
    state: ClusterState | None = None,
    read_only: bool = False,
    frozen: bool = False,
    paused: str = "",
    view: str = "workers",
) -> str:
    class OneBar(App[None]):
        def compose(self) -> ComposeResult:
            yield KeyBar()

    monitor, session = make_app(state)
    context, app = monitor.context, OneBar()
    context.session.read_only = read_only
    if paused:
        session.held[paused] = PauseQueue(queue=paused)
    if frozen:
        context.freeze.begin()
    async with app.run_test(size=(width, 1)):
        bar = app.query_one(KeyBar)
        bar.paint(context, context.keymap, view, here, with_connection=state is not None)
        return bar.render_line(0).text


async def test_the_first_keys_of_a_row_and_opening_it_stay_before_its_other_keys() -> None:
    text = await footer(80, WORKER)
    assert "D drain  + grow  enter open" in text and "- shrink" not in text
    assert text.rstrip().endswith("? help  q quit")


async def test_names_of_the_last_views_go_before_the_core_keys() -> None:
    text = await footer(120, Here(general=WORKER.general))
    assert text.startswith(" 1 Overview 2 Tasks 3 Workers")
    assert "enter open  / filter  A operations  e errors  ? help  q quit" in text
    text = await footer(60, Here(general=WORKER.general))
    assert "Overview" not in text and "3 Workers" in text


async def test_keys_of_views_are_apart_also_in_a_narrow_terminal() -> None:
    text = await footer(120, WORKER)
    assert text.startswith(" 1 2 3 Workers 4 5 6 7 8 9  ")
    for width in (60, 80):
        text = await footer(width, WORKER, ClusterState())
        assert text.startswith(" 1 2 3 Workers 4-9  ")
        assert "D drain" in text and "? help  q quit" in text
    assert (await footer(80, WORKER, view="overview")).startswith(" 1 Overview 2-9  ")
    assert (await footer(80, WORKER, view="log")).startswith(" 1-6 7 Log 8 9  ")


async def test_marked_rows_keep_their_keys() -> None:
    keys = (("task.revoke", ""), ("task.terminate", ""), ("task.retry", ""))
    text = await footer(84, Here("3 marked:", keys, WORKER.general))
    assert "3 marked:  X revoke  K terminate  R retry" in text


async def test_help_stays_before_the_details_of_a_fault() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 60))
    state.observe(ConnectionChanged("blocked", NOW - 50, Fault("blocked", "low on memory", "")))
    text = await footer(100, Here(general=WORKER.general), state)
    assert "blocked, data" in text and "blocked: blocked" not in text
    text = await footer(50, Here(general=WORKER.general), state)
    assert "? help  q quit" in text and text.rstrip().endswith("blocked")


async def test_without_a_header_read_only_mode_is_shown() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW))
    text = await footer(60, Here(general=WORKER.general), state, read_only=True)
    assert text.rstrip().endswith("live  RO") and "? help" in text
    assert "RW" not in await footer(60, Here(general=WORKER.general), state)


async def test_without_a_header_a_freeze_is_shown() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW))
    text = await footer(60, Here(general=WORKER.general), state, frozen=True)
    assert "FROZEN 08:00:00" in text and "? help" in text and "live" in text
    assert "FROZEN" not in await footer(60, Here(general=WORKER.general), state)


async def test_without_a_header_changes_in_force_are_shown() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW))
    text = await footer(60, WORKER, state, paused="billing-invoices")
    assert "  billing-inv…  " in text and "? help  q quit" in text and "live" in text
