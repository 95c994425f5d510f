"""A task's whole workflow on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import QueueMeasured, QueuePeeked, ResultsRead, WaitingMessage
from celtop.model.operations.call import Call, RawMessage, SentTask
from celtop.model.operations.commands import Revoke
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import AppUnderTest, Clock, make_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tests.tui.test_screens import HOSTILE
from celtop.tui.navigation import DrillDown, Location, workflow_of
from celtop.tui.output.save import save


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


FETCH, RENDER, FAILED, WAITING, AUDIT = map(uuid, (700, 701, 704, 705, 712))


def tell(
    state: ClusterState,
    number: int,
    name: str,
    parent: int | None = None,
    root: int | None = None,
    **told: Any,
) -> None:
    at, run = told.pop("at", 0.0), told.pop("run", 1.0)
    links: dict[str, Any] = {
        "parent_id": None if parent is None else uuid(parent),
        "root_id": uuid(number if root is None else root),
    }
    feed(state, task_events(number, name, at=NOW - 40 + at, runtime=run, **links, **told))


def grouped(state: ClusterState, group_id: str, *ids: str) -> None:
    """Have a look into a queue tell of a group."""
    seen = tuple(WaitingMessage(id_, "report.render", "celery", group_id=group_id) for id_ in ids)
    state.observe(QueuePeeked("celery", seen, NOW, True))


def workflow() -> ClusterState:
    """A chain into a chord of five, of which one failed and one waits; and a side task."""
    state = cluster(20)
    tell(state, 700, "report.fetch", run=3)
    for number in range(5):
        end: dict[str, Any] = {"end": "succeeded"}
        if number == 3:
            end = {"end": "failed", "exception": "ValueError('no font')", "traceback": "tb"}
        elif number == 4:
            end = {"end": "received"}
        at, run = 3.2 + number / 10, 2.0 + number * 2
        tell(state, 701 + number, "report.render", 700, 700, at=at, run=run, **end)
    tell(state, 712, "report.audit", 700, 700, at=1, run=0.5)
    grouped(state, "grp", *(uuid(701 + number) for number in range(5)))
    return state


@asynccontextmanager
async def opened(
    location: Location | None = None,
    size: tuple[int, int] = (120, 36),
    state: ClusterState | None = None,
    **told: Any,
) -> AsyncIterator[AppUnderTest]:
    app, session = make_app(state or workflow(), Clock(), **told)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        on = AppUnderTest(app, session, pilot)
        app.go(location or Location("tasks", (workflow_of(RENDER),)))
        await on.until(lambda: app.monitor_screen is not None and app.monitor_screen.ready)
        await on.until(lambda: "State" in on.text or location == Location("overview"))
        yield on


def rows(on: AppUnderTest) -> list[str]:
    """The lines of the tree, without the bars above it and the preview below."""
    lines = on.text.split("\n")
    first = next(at for at, line in enumerate(lines) if line.lstrip().startswith("State"))
    below = takewhile(lambda line: not line.startswith("╭"), lines[first + 1 : -1])
    return [line[2:] for line in below if line.strip()]


@pytest.mark.parametrize(
    "location",
    [Location("tasks"), Location("tasks", (DrillDown("task", RENDER),))],
    ids=["list", "detail"],
)
async def test_one_key_leads_from_a_task_to_the_whole(location: Location) -> None:
    async with opened(location) as on:
        if not location.path:
            await on.to(RENDER)
        await on.press("o")
        await on.until(lambda: on.app.location.path[-1:] == (workflow_of(RENDER),))
        await on.until(lambda: "▾ group" in on.text)
        assert on.table.cursor_id == RENDER
        await on.press("o")
        assert on.app.location.path[-1] == workflow_of(RENDER)
        assert on.app.location.path[-2:-1] == location.path
        await on.press("escape")
        await on.until(lambda: on.app.location == location)


async def test_a_command_leads_there_and_goes_on_to_another() -> None:
    async with opened(Location("overview")) as on:
        on.app.run_command(f"workflow {FETCH[:8]}")
        await on.until(lambda: "▾ group" in on.text)
        on.app.run_command(f"workflow {uuid(3)}")
        await on.until(lambda: "▾ group" not in on.text)
        assert len(on.app.location.path) == 1
        on.app.run_command("workflow nobody")
        await on.pilot.pause()
        await on.until(lambda: any("No known task id starts with nobody" in one for one in on.said))


async def test_the_selected_member_is_shown_in_the_lines_below_the_tree() -> None:
    async with opened() as on:
        on.app.repaint()
        await on.until(lambda: "─ Task report.render ─" in on.text)
        await on.to(on.table.rows[1].node.id)
        on.app.repaint()
        await on.until(lambda: "─ Group ─" in on.text)
        assert "3 succeeded  1 failed  1 waiting" in on.text.split("─ Group ─")[1]


async def test_the_tree_has_states_times_and_the_failed_path() -> None:
    async with opened() as on:
        lines = rows(on)
        assert [line[:11].split()[0:2] for line in lines] == [
            ["✔", "SUCCESS"],
            ["✖", "3"],
            ["✔", "SUCCESS"],
            ["✔", "SUCCESS"],
            ["✔", "SUCCESS"],
            ["✖", "FAILURE"],
            ["●", "RECEIVED"],
            ["✔", "SUCCESS"],
        ]
        assert "! report.fetch" in lines[0]
        assert "├ ! ▾ group" in lines[1]
        assert "│ ├ report.render" in lines[2] and "│ ├ ! report.render" in lines[5]
        assert "│ └ report.render" in lines[6] and "└ report.audit" in lines[7]
        assert "ValueError('no f" in lines[5]
        # One axis: what began later begins to the right, and what waits reaches to now.
        assert lines[5].index("█") > lines[0].index("█")
        assert lines[5].rindex("█") > lines[2].rindex("█")
        assert lines[6].rindex("▒") > lines[5].rindex("█")
        assert "5 succeeded  1 failed  1 waiting" in on.text


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (60, 15), (40, 10)], ids=str)
@pytest.mark.parametrize("ascii_only", [False, True])
async def test_it_is_drawn_in_every_terminal(size: tuple[int, int], ascii_only: bool) -> None:
    async with opened(size=size, ascii=ascii_only) as on:
        lines = on.text.split("\n")
        assert all(len(line) <= size[0] for line in lines)
        if ascii_only:
            assert on.text.isascii()
            assert "|-! - group" in on.text
        assert "report.render" in on.text and "3 of 5" in on.text
        if size[0] >= 80:
            assert rows(on)[1].count("=" if ascii_only else "▒") > 3


async def test_enter_folds_a_group_and_opens_a_task() -> None:
    async with opened() as on:
        await on.to("group:grp")
        await on.press("enter")
        await on.until(lambda: "▸ group" in on.text)
        assert on.text.count("report.render") == 0
        assert "3 of 5" in rows(on)[1] and "1 failed" in rows(on)[1]
        await on.press("enter")
        await on.until(lambda: on.text.count("report.render") == 5)
        await on.to(FAILED)
        await on.press("enter")
        await on.until(lambda: on.app.location.path[-1] == DrillDown("task", FAILED, FAILED[:8]))


async def test_a_filter_and_failures_only_keep_what_leads_there() -> None:
    async with opened() as on:
        await on.press("!")
        await on.until(lambda: len(rows(on)) == 3)
        assert [line.split()[1] for line in rows(on)] == ["SUCCESS", "3", "FAILURE"]
        await on.press("escape")
        await on.until(lambda: len(rows(on)) == 8)
        await on.press("/", *"audit", "enter")
        await on.until(lambda: len(rows(on)) == 2)
        assert "report.audit" in rows(on)[1]
        await on.press("escape")
        await on.until(lambda: len(rows(on)) == 8)


async def test_it_lives() -> None:
    async with opened() as on:
        tell(on.session.state, 705, "report.render", 700, 700, at=3.6, run=30)
        tell(on.session.state, 720, "report.collect", 705, 700, at=34, run=1)
        on.app.repaint()
        await on.until(lambda: "report.collect" in on.text)
        assert "4 of 5" in on.text and "body" in on.text


async def test_acts_are_about_the_marked_members() -> None:
    async with opened() as on:
        await on.to("group:grp")
        await on.press("space")
        assert on.table.marks == tuple(uuid(701 + number) for number in range(5))
        assert "5 marked" in on.text
        await on.to("group:grp")
        await on.press("X")
        dialog = await on.asked()
        assert dialog.confirmation.targets
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke) and command.ids == (WAITING,)
        await on.press("escape")
        await on.until(lambda: not on.table.marks)
        await on.press("a")
        assert set(on.table.marks) == {FETCH, AUDIT, *(uuid(701 + n) for n in range(5))}
        await on.press("U")
        assert on.table.marks == ()


async def test_a_folded_group_is_marked_whole_and_unmarked_again() -> None:
    async with opened() as on:
        await on.to("group:grp")
        await on.press("enter", "space")
        await on.until(lambda: len(on.table.marks) == 5)
        await on.to("group:grp")
        await on.press("space")
        assert on.table.marks == ()
        await on.to("group:grp")
        await on.press("y")
        await on.until(lambda: any("5 ids" in one for one in on.said))


async def test_what_is_yet_to_come_is_looked_up_and_shown() -> None:
    state = cluster(3)
    tell(state, 700, "report.fetch", end="received")
    async with opened(Location("tasks", (workflow_of(FETCH),)), state=state) as on:
        await on.until(lambda: on.session.asked == [(FETCH,)])
        follows = {"task": "report.mail", "options": {"task_id": "follows"}}
        links = {"callbacks": None, "errbacks": None, "chain": [follows], "chord": None}
        body = msgspec.json.encode([[], {}, links])
        message = RawMessage(body, "application/json", "utf-8", {})
        original = SentTask(FETCH, Call("report.fetch"), "unacked", NOW, message)
        on.session.recovering.set_result((original,))
        await on.until(lambda: "report.mail" in on.text and "1 upcoming" in on.text)
        assert "○ upcoming" in on.text
        await on.to("follows")
        await on.press("enter")
        await on.until(lambda: "No events of this task were received yet" in on.said)
        await on.press("X")
        await on.pilot.pause()
        assert not on.session.done


async def test_long_queues_are_not_searched_for_what_is_to_come() -> None:
    state = cluster(3)
    tell(state, 700, "report.fetch", end="received")
    state.observe(QueueMeasured("celery", NOW, 100_000))
    async with opened(Location("tasks", (workflow_of(FETCH),)), state=state) as on:
        await on.pilot.pause(0.1)
        assert on.session.asked == []


async def test_the_members_that_cannot_be_known_are_named() -> None:
    state = cluster(3)
    tell(state, 700, "report.render", end="received")
    async with opened(Location("tasks", (workflow_of(FETCH),)), size=(160, 36), state=state) as on:
        await on.until(lambda: "other members of its group may be missing" in on.text)
        assert (None, 500, None) in on.session.peeked
        await on.press("s")
        await on.until(lambda: "This list cannot be sorted" in on.said)
        grouped(state, "grp", FETCH)
        on.app.repaint()
        await on.until(lambda: "other members of its group" not in on.text)


async def test_results_are_read_that_may_have_a_group() -> None:
    state = cluster(3)
    for number in (700, 701):
        tell(state, number, "report.render")
    async with opened(Location("tasks", (workflow_of(FETCH),)), state=state) as on:
        for number, id_ in enumerate((FETCH, RENDER)):
            await on.until(lambda number=number: len(on.session.read) > number)
            assert list(on.session.read[number]) == [id_], "others if it is in a group"
            meta = ResultMeta(id_, "SUCCESS", group_id="g")
            state.observe(ResultsRead((meta,), NOW, "poll"))
            on.app.repaint()
        await on.until(lambda: "2 of 2" in on.text)
        assert len(on.session.read) == 2


async def test_hostile_names_are_harmless() -> None:
    state = cluster(3)
    for number, text in enumerate(HOSTILE):
        parent = None if not number else 800
        at = number / 10
        tell(state, 800 + number, text, parent, 800, at=at, end="failed", exception=text)
        state.tasks[uuid(800 + number)].worker = text
    async with opened(Location("tasks", (workflow_of(uuid(803)),)), state=state) as on:
        assert "\x1b" not in on.text and "\u202e" not in on.text
        assert len(rows(on)) == len(HOSTILE)


async def test_the_workflow_of_an_unknown_task() -> None:
    async with opened(Location("tasks", (workflow_of("nobody"),))) as on:
        assert "Unknown task nobody" in on.text
        await on.press("o", "enter", "X", "space", "a", "/", "x", "escape", "!")
        assert on.session.done == []


async def test_five_hundred_members_are_folded_and_legible() -> None:
    state = cluster(3)
    tell(state, 1000, "report.fetch")
    for number in range(1, 500):
        end = "failed" if number == 77 else "succeeded"
        tell(state, 1000 + number, "report.render", 1000, 1000, at=1 + number / 100, end=end)
    grouped(state, "g", *(uuid(1000 + number) for number in range(1, 500)))
    async with opened(Location("tasks", (workflow_of(uuid(1000)),)), state=state) as on:
        assert len(rows(on)) == 2
        assert "498 of 499" in on.text and "1 failed" in rows(on)[1]
        await on.press("!")
        await on.until(lambda: len(rows(on)) == 3)


async def test_it_can_be_saved_as_text_and_as_json(tmp_path: Path) -> None:
    async with opened() as on:
        screen = on.app.monitor_screen
        assert screen is not None
        columns = screen.table.columns  # type: ignore[union-attr]

        def save_as(name: str) -> None:
            save(tmp_path / name, screen.shown_rows(), columns, on.app.context, lambda: "")

        save_as("tree.txt")
        assert "├ ! ▾ group" in (tmp_path / "tree.txt").read_text("utf-8")
        save_as("tree.json")
        tasks = msgspec.json.decode((tmp_path / "tree.json").read_bytes())["tasks"]
        assert {task["id"] for task in tasks} == set(screen.view.members.tasks)  # type: ignore[attr-defined]
        await on.to("group:grp")
        await on.press("space")
        save_as("marked.txt")
        assert (tmp_path / "marked.txt").read_text("utf-8").count("report.render") == 5
