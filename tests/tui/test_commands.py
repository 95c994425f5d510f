from __future__ import annotations

import pytest
from celtop.model.observations import InspectReply, QuestionsAnswered
from celtop.model.operations.commands import PurgeResults
from celtop.tests.tui.app_under_test import make_app, run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.app.app import CeltopApp
from celtop.tui.commands.base import known_task
from celtop.tui.commands.operations import task_ids
from celtop.tui.commands.table import COMMANDS, CommandError, completions, find, run
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.menu import Menu


def test_a_beginning_is_enough_if_it_is_certain() -> None:
    assert find("que").name == "queues"
    assert find("q").name == "quit"
    with pytest.raises(CommandError, match="Ambiguous command t: tasks"):
        find("t")
    with pytest.raises(CommandError, match="Unknown command nonsense"):
        find("nonsense")


def test_every_command_has_a_help_line() -> None:
    assert all(command.help for command in COMMANDS)
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_completion_offers_commands_and_then_values() -> None:
    app, _ = make_app(cluster(5))
    assert completions(app, "worke") == ["workers ", "worker "]
    assert completions(app, "q")[0] == "quit"
    assert completions(app, "worker geo-2") == ["worker celery@geo-2"]
    assert completions(app, "theme ansi-d") == ["theme ansi-dark"]
    assert completions(app, "nonsense x") == []
    assert completions(app, "tasks geo state:fail") == [
        "tasks geo state:FAILURE",
        "tasks geo state:failed",
    ]


def test_completion_offers_nothing_that_the_terminal_would_obey() -> None:
    hostile = "w\x1b]0;owned\x07"
    app, session = make_app(cluster(5))
    for name in (hostile, "w\u202etxt", "wide語"):
        session.state.observe(InspectReply(name, "ping", {"ok": "pong"}, NOW))
    assert completions(app, "worker wid") == ["worker wide語"]
    assert completions(app, f"worker {hostile}") == completions(app, "worker w\u202e") == []


async def test_what_is_said_of_a_hostile_name_is_harmless() -> None:
    app, _ = make_app(cluster(5))
    async with app.run_test(size=(120, 36)) as pilot:
        app.run_command("worker w\x1b]0;owned\x07")
        await pilot.pause()
        (said,) = app.said
        assert said == "Unknown worker w\\x1b]0;owned\\x07; 3 lists known workers"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rate fast", "Not a number: fast"),
        ("rate 1000", "The frame rate must be between 0.1 and 60"),
        ("theme [/]", "Unknown theme [/]; `:theme` lists all themes"),
        ("mouse maybe", "Usage: mouse on|off"),
        ("zone mars", "Usage: zone local|utc|relative"),
        ("q orphans", "quit takes no argument; did you mean queues orphans?"),
        ("freeze now", "freeze takes no argument"),
        ("task", "Missing argument: a task id or the start of one"),
        ("task 000", "26 task ids start with 000"),
        ("worker absent", "Unknown worker absent; 3 lists known workers"),
    ],
)
def test_the_error_of_what_cannot_be_done(line: str, said: str) -> None:
    app, _ = make_app(cluster(21))
    with pytest.raises(CommandError) as told:
        run(app, line)
    assert str(told.value) == said


def test_an_id_that_others_start_with_is_found() -> None:
    app, session = make_app(cluster(5))
    for id_ in ("order-1", "order-10", "order 1"):
        feed(session.state, task_events(1, "a.b", uuid=id_))
    assert known_task(app, "order-1") == "order-1"
    assert task_ids(app, "order 1") == ("order 1",)
    assert task_ids(app, "order-1 order-10") == ("order-1", "order-10")


def test_an_unknown_queue_is_not_purged_if_all_queues_are_known() -> None:
    app, session = make_app(cluster(5))
    session.state.observe(QuestionsAnswered(("queues",), NOW))
    with pytest.raises(CommandError, match="Unknown queue nope; check the spelling"):
        run(app, "purge nope")


def test_a_filter_for_results_must_be_valid() -> None:
    app, _ = make_app(cluster(5))
    for line, reason in (
        ("results-purge", "Missing argument: a filter"),
        ("results-purge state:", "Invalid filter: term 'state:': it has no value"),
        ("results-purge finished:soon", "Invalid filter: term 'finished:soon': not a time"),
    ):
        with pytest.raises(CommandError, match=reason):
            run(app, line)


async def test_results_are_counted_before_they_are_deleted() -> None:
    app, session = make_app(cluster(5))
    purge = PurgeResults(filter="finished:>30d", at=NOW, count=7)
    session.purge_plan.set_result(purge)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(":", *"results-purge finished:>30d", "enter")
        for _ in range(20):
            await pilot.pause(0.05)
            if isinstance(app.screen, ConfirmDialog):
                break
        await pilot.press("7", "enter")
        await pilot.pause(0.1)
    assert session.done == [purge]


async def typed(app: CeltopApp, *lines: str) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        for line in lines:
            await pilot.press(":", *line, "enter")
            await pilot.pause()


async def test_settings_of_the_screen_can_be_typed() -> None:
    app, _ = make_app(cluster(5))
    await typed(app, "rate 2", "theme nord", "zone local")
    assert app.frame_loop.pacer.per_second == 2
    assert app.theme == "nord"
    assert not app.context.utc


async def test_a_view_can_be_typed_with_its_filter() -> None:
    app, _ = make_app(cluster())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(":", *"tasks state:retry", "enter")
        await pilot.pause(0.1)
        assert {task.state for task in app.screen.table.rows} == {"RETRY"}  # type: ignore[attr-defined]


async def test_the_window_of_the_charts_can_be_typed() -> None:
    async with run_app(cluster(5)) as on:
        await on.press(":", *"charts 1h", "enter")
        assert on.app.context.chart_seconds == 3_600
        assert on.app.location.path[-1].kind == "charts"
        await on.press(":", *"charts 2h", "enter")
        await on.press(":", *"charts 6h", "enter")
        assert on.said == [
            "Usage: charts [5m|15m|1h|6h|24h|7d]",
            "Longer windows than 1h need the history, which is off",
        ]


async def test_quit_can_be_typed() -> None:
    app, session = make_app()
    await typed(app, "q")
    assert app.return_code == 0
    assert session.stopped


async def test_a_command_without_its_argument_offers_the_values() -> None:
    async with run_app(cluster(5)) as on:
        await on.press(":", *"theme", "enter")
        menu = await on.dialog(Menu)
        assert menu.chosen == "celtop-dark"
        assert "celtop-light" in {id_ for id_, _, _ in menu.choices}
        await on.press("down", "down")
        await on.until(lambda: on.app.theme == "celtop-light")
        await on.press("escape")
        await on.until(lambda: on.app.theme == "celtop-dark")
        await on.press(":", *"theme", "enter")
        await on.dialog(Menu)
        await on.press("down", "down", "enter")
        await on.until(lambda: on.app.theme == "celtop-light")


async def test_a_command_line_that_is_opened_twice_returns_the_focus_to_the_list() -> None:
    async with run_app(cluster(5)) as on:
        focused = on.app.focused
        assert focused is not None
        await on.app.action_command_line()
        await on.app.action_command_line("theme ")
        await on.press("escape")
        assert on.app.focused is focused
