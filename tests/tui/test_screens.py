from __future__ import annotations

from typing import Any

import pytest
from celtop.bindings.actions import VIEWS
from celtop.model.observations import ConnectionChanged, LogMessage, QueueMeasured
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import Clock, make_app, screen_lines
from celtop.tests.tui.fake_session import NOW, cluster, feed, refused, task_events
from celtop.tui.app.app import CeltopApp
from celtop.tui.loop import BUSY_INTERVAL
from celtop.tui.navigation import DrillDown, Location
from celtop.widgets.table.live_table import LiveTable

SIZES = ((200, 50), (120, 36), (80, 24), (60, 15))
HOSTILE = (
    "[/]",
    "[link=x]click[/link]",
    "[@click=app.quit]x[/]",
    "\x1b]52;c;aGk=\x07\x1b[2J\x1b[31m",
    "\u202eright to left\u2066",
    "👩‍👩‍👧 é ﷽ 한글",
    "line\nbreak\r\n\ttab \x00 \x9b31m",
)
PLACES = [
    *(Location(action.id.removeprefix("view.")) for action in VIEWS),
    Location("tasks", (DrillDown("task", "hostile-0"),)),
    Location("workers", (DrillDown("worker", f"w@{HOSTILE[3]}"),)),
    Location("queues", (DrillDown("tasks", "state:failure"),)),
    Location("types", (DrillDown("failures", "hostile-3"),)),
]


def names(location: Location) -> str:
    return "-".join((location.view, *(step.kind for step in location.path)))


def hostile() -> ClusterState:
    """Return a cluster in which every text is out to break the screen."""
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 100))
    for number, text in enumerate((*HOSTILE, "x" * 10_000_000)):
        told: dict[str, Any] = {"end": "failed", "exception": f"{text}('{text}')"}
        feed(
            state,
            task_events(
                number,
                f"task{text[:200]}",
                uuid=f"hostile-{number}",
                worker=f"w@{text[:200]}",
                queue=f"q{text[:200]}",
                args=f"('{text}',)",
                kwargs=f"{{'k': '{text}'}}",
                traceback=f'  File "{text[:200]}", line 1, in {text[:200]}\n{text}',
                **told,
            ),
        )
        fields: dict[str, Any] = {"message": text, text[:50]: text}
        feed(state, task_events(100 + number, text[:100], end=None, uuid=f"run{number}"))
        progress = Event(f"task-{text[:9]}", "w", NOW - 1, uuid=f"run{number}", fields=fields)
        feed(state, [progress])
        state.observe(QueueMeasured(f"q{text[:200]}", NOW, 3, notes=(text[:500],)))
        state.observe(LogMessage("error", text[:20], text, NOW))
    state.tick(NOW)
    return state


async def shown(app: CeltopApp, location: Location, size: tuple[int, int]) -> list[str]:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.go(location)
        await pilot.pause(0.1)
        return screen_lines(app)


@pytest.mark.parametrize("location", PLACES, ids=names)
async def test_hostile_texts_are_shown_harmlessly(location: Location) -> None:
    app, _ = make_app(hostile())
    text = "\n".join(await shown(app, location, (160, 40)))
    assert not any(ord(letter) < 32 and letter != "\n" for letter in text)
    assert "\u202e" not in text and "\x9b" not in text


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("location", PLACES, ids=names)
async def test_every_screen_fits_every_size(location: Location, size: tuple[int, int]) -> None:
    app, _ = make_app(cluster(60))
    lines = await shown(app, location, size)
    assert len(lines) == size[1]
    # The header goes under 20 rows; the keys stay, and tell of the connection then.
    assert ("live" in lines[0]) == (size[1] >= 20)
    assert "live" in lines[0] or "live" in lines[-1]
    assert "? help" in lines[-1]


@pytest.mark.parametrize("size", [(38, 12), (70, 9), (20, 3)], ids=str)
async def test_the_smallest_terminal_shows_one_line_of_counters(size: tuple[int, int]) -> None:
    app, _ = make_app(cluster(60))
    lines = await shown(app, Location("tasks"), size)
    assert lines[0].startswith("● 65 ▶2 ✖5")
    assert not "".join(lines[1:]).strip()


async def test_a_broker_that_is_not_reached_is_shown_with_advice() -> None:
    clock = Clock()
    app, session = make_app(refused(), clock)
    async with app.run_test(size=(160, 24)) as pilot:
        await pilot.pause(0.1)
        text = "\n".join(screen_lines(app))
        assert "Nothing listens on localhost:6379" in text
        assert "Start the broker, or name another" in text
        assert "Retrying now." in text
        session.waiting.append(ConnectionChanged("live", NOW))
        await pilot.pause(20 * BUSY_INTERVAL)
        assert "Nothing listens" not in "\n".join(screen_lines(app))


async def test_the_header_shows_what_must_not_be_overlooked() -> None:
    from celtop.model.observations import EventsDropped

    state = cluster(60)
    state.observe(EventsDropped(0, 7, NOW))
    state.totals.malformed = 2
    app, _ = make_app(state, read_only=True)
    header = (await shown(app, Location("tasks"), (200, 24)))[0]
    for part in (
        "live 4 ms",
        "redis://***@10.0.0.5",
        " RO ",
        "7 events lost",
        "2 malformed",
        "2/3 work",
    ):
        assert part in header


async def test_an_unknown_number_is_never_zero() -> None:
    state = ClusterState()
    feed(state, [Event("worker-online", "new@w", NOW, freq=2.0)])
    state.observe(QueueMeasured("dark", NOW))
    app, _ = make_app(state)
    line = next(
        line for line in await shown(app, Location("workers"), (200, 24)) if "new@w" in line
    )
    assert "?" in line and " 0 " not in line.split("new@w")[1].split("?")[0]
    app, _ = make_app(state)
    line = next(line for line in await shown(app, Location("queues"), (200, 24)) if "dark" in line)
    assert line.split() == ["dark", "?"]  # columns of which nothing is known are left out


async def test_a_frozen_screen_does_not_move_but_its_clock_does() -> None:
    clock = Clock()
    app, session = make_app(cluster(60), clock)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2", "p")
        before = screen_lines(app)
        clock.now += 61
        feed(session.state, task_events(5000, "a.new.one", at=clock.now - 5))
        app.frame_loop.paint()
        await pilot.pause()
        after = screen_lines(app)
        assert after[1:] == before[1:]
        assert "FROZEN 08:00:00 +4" in after[0] and "08:01:01" in after[0]
        clock.now += 86_400
        app.frame_loop.paint()
        await pilot.pause()
        assert "FROZEN 2027-01-15 08:00 +4" in screen_lines(app)[0]
        await pilot.press("p")
        await pilot.pause()
        assert "a.new.one" in "\n".join(screen_lines(app))


async def test_a_dialog_does_not_lose_what_happens_meanwhile() -> None:
    app, session = make_app(cluster(60))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2", "?")
        feed(session.state, task_events(5000, "a.new.one", at=NOW))
        app.frame_loop.paint()
        await pilot.press("escape")
        app.frame_loop.paint()
        await pilot.pause()
        assert "a.new.one" in "\n".join(screen_lines(app))


async def test_a_task_is_followed_live_and_survives_its_eviction() -> None:
    app, session = make_app(cluster(60))
    uuid = f"{9001:08x}-0000-4000-8000-{9001:012x}"
    async with app.run_test(size=(120, 40)) as pilot:
        app.go(Location("tasks", (DrillDown("task", uuid),)))
        await pilot.pause()
        assert "Running for" in "\n".join(screen_lines(app))
        done = Event("task-succeeded", "celery@geo-1", NOW, uuid=uuid, result="'done'", runtime=41)
        feed(session.state, [done])
        app.frame_loop.paint()
        await pilot.pause(0.1)
        text = "\n".join(screen_lines(app))
        assert "SUCCESS" in text and '"done"' in text
        del session.state.tasks[uuid]
        app.frame_loop.paint()
        await pilot.pause(0.1)
        text = "\n".join(screen_lines(app))
        assert '"done"' in text and "evicted from memory" in text


async def test_a_bad_term_is_marked_and_the_others_hold() -> None:
    app, _ = make_app(cluster(60))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2", "/", *"state:failure runtime:>soon", "enter")
        await pilot.pause()
        text = "\n".join(screen_lines(app))
        assert "not a duration: soon" in text
        assert {task.state for task in app.screen.table.rows} == {"FAILURE"}  # type: ignore[attr-defined]


async def test_what_a_filter_hides_is_not_said_to_be_missing() -> None:
    app, _ = make_app(cluster(60))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2", "/", *"no such thing", "enter")
        await pilot.pause()
        text = "\n".join(screen_lines(app))
        assert f"The filter hides all {len(app.context.state.tasks)} rows; esc clears it" in text
        assert "No tasks" not in text


async def test_the_filter_sticks_when_one_comes_back() -> None:
    app, _ = make_app(cluster(60))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2", "/", *"mail", "enter", "3", "2")
        await pilot.pause()
        assert {task.name for task in app.screen.table.rows} == {"mail.send"}  # type: ignore[attr-defined]


async def test_behind_each_row_of_the_overview_is_its_list() -> None:
    app, _ = make_app(cluster())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.1)
        doors = {}
        for name in ("queues", "workers", "running", "failures", "attention"):
            app.screen.set_focus(app.screen.query_one(f"#{name}-table"))
            await pilot.press("enter")
            await pilot.pause()
            doors[name] = (app.location.view, *(step.kind for step in app.location.path))
            if name == "failures":
                rows = app.screen.table.rows  # type: ignore[attr-defined]
                assert len(rows) == max(one.count for one in app.context.state.failures)
                assert {task.exception[:14] for task in rows} == {"ConnectTimeout"}
            await pilot.press("1")
        assert doors == {
            "queues": ("overview", "queue"),
            "workers": ("overview", "worker"),
            "running": ("overview", "task"),
            "failures": ("overview", "tasks"),
            "attention": ("overview", "queue"),
        }


@pytest.mark.parametrize("sending", [True, False])
async def test_rates_are_a_minimum_if_not_all_workers_send_events(sending: bool) -> None:
    state = cluster()
    for worker in state.workers.values():
        worker.events_enabled = sending
    app, _ = make_app(state)
    async with app.run_test(size=(120, 40)) as pilot:
        legends: list[str] = []
        while not legends:  # charts follow the first frame
            await pilot.pause(0.02)
            lines = screen_lines(app)
            legends = [line for line in lines if " failed " in line and "retry " in line]
        [legend] = legends
        assert "/min" in legend and ("/min+" in legend) is not sending


async def test_arrows_walk_from_tile_to_tile() -> None:
    app, _ = make_app(cluster())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.2)
        app.screen.set_focus(app.screen.query_one("#queues-table"))
        walked = []
        for key in ("left", "right", "left", "up"):
            await pilot.press(key)
            walked.append(app.focused.id if app.focused else None)
        assert walked == ["throughput", "queues-table", "throughput", "attention-table"]
        findings = len(app.screen.query_one("#attention-table", LiveTable).rows)
        await pilot.press(*["down"] * (findings + 1))
        assert app.focused is not None and app.focused.id == "workers-table"


async def test_ascii_means_ascii_on_every_screen() -> None:
    app, _ = make_app(cluster(60), ascii=True)
    async with app.run_test(size=(160, 40)) as pilot:
        for keys in ("1", "2", "3", "4", "5", "6", "7", "2 enter", "3 enter", "?", "2 s", "2 :"):
            await pilot.press("escape", *keys.split())
            await pilot.pause()
            lines = screen_lines(app)
            assert "\n".join(lines).isascii(), (keys, lines)


async def test_nothing_is_painted_while_nothing_happens() -> None:
    app, _ = make_app(cluster(60))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        table = app.screen.table  # type: ignore[attr-defined]
        assert table.paint(app.context.frame()) == 0


async def test_the_palette_finds_views_and_keys() -> None:
    app, session = make_app(cluster(5))
    async with app.run_test(size=(120, 40)) as pilot:
        for typed, found in (("queues", "queues"), ("refresh (ctrl", "queues")):
            await pilot.press("ctrl+p")
            await pilot.pause()
            await pilot.press(*typed)
            await pilot.app.workers.wait_for_complete()
            await pilot.pause(0.2)
            await pilot.press("enter")
            await pilot.pause(0.2)
            assert app.location.view == found
        assert session.refreshes == 1


async def test_views_open_by_a_click_too() -> None:
    app, _ = make_app(cluster(5))
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.pause(0.1)
        x = screen_lines(app)[-1].index(" 4 ")
        await pilot.click("#keys", offset=(x + 1, 0))
        await pilot.pause()
        assert app.location.view == "queues"


async def test_what_is_typed_ahead_goes_where_it_should() -> None:
    from textual.events import Key

    app, _ = make_app(cluster(60))
    async with app.run_test(size=(120, 24)) as pilot:
        # As one burst from the terminal, not waiting for the app as `press` does.
        for key in ("2", "slash", *"mail", "enter"):
            app.post_message(Key(key, key if len(key) == 1 else None))
        await pilot.pause(0.3)
        await pilot.pause()
        assert app.screen.filter_text == "mail"  # type: ignore[attr-defined]
        assert app.focused is app.screen.table  # type: ignore[attr-defined]
