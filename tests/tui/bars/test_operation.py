"""What came of an act, in a line on the screen; and read-only."""

from __future__ import annotations

from celtop.model.operations.outcome import Answer
from celtop.tests.tui.app_under_test import AppUnderTest, Clock, make_app, screen_lines
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tests.tui.operation_app import WAITING, opened
from celtop.tui.dialogs.base import Dialog
from celtop.tui.dialogs.outcome import OperationDialog

# What came of it


async def test_the_line_follows_and_marks_go_as_targets_are_confirmed() -> None:
    async with opened() as on:
        for id_ in WAITING:
            await on.to(id_)
            await on.press("space")
        await on.press("X")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.operations)
        (act,) = on.session.operations
        await on.until(lambda: "Revoking 4 tasks" in on.text)
        assert set(on.table.marks) == set(WAITING)
        act.change(targets=dict.fromkeys(WAITING[:3], Answer("confirmed")))
        await on.until(lambda: on.table.marks == (WAITING[3],))
        confirmed = Answer("confirmed")
        act.end(
            targets={**dict.fromkeys(WAITING[:3], confirmed), WAITING[3]: Answer("unsent")},
            workers={"celery@web-1": confirmed, "celery@geo-1": Answer("silent")},
        )
        await on.until(lambda: "celery@geo-1 did not reply" in on.text)
        assert "Revoked 3 of 4 tasks; 1 of 2 workers confirmed" in on.text
        assert on.table.marks == (WAITING[3],)
        await on.press("X")
        again = await on.asked()
        assert again.confirmation.title == "Revoke 1 task"


async def test_the_line_goes_with_a_key_but_not_too_soon() -> None:
    async with opened() as on:
        clock = on.app.context.clock
        assert isinstance(clock, Clock)
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.operations)
        on.session.operations[0].end(targets={WAITING[0]: Answer("confirmed")})
        await on.until(lambda: "Revoked 1 task" in on.text)
        await on.press("j")
        assert on.app.context.operations.result is not None
        clock.now += 2
        await on.press("j")
        assert on.app.context.operations.result is None
        await on.until(lambda: "Revoked 1 task" not in on.text)


async def test_what_ended_under_a_dialog_is_shown_once_that_is_closed() -> None:
    async with opened() as on:
        clock = on.app.context.clock
        assert isinstance(clock, Clock)
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.operations)
        await on.press("t")
        await on.until(lambda: isinstance(on.app.screen, Dialog))
        on.session.operations[0].end()
        await on.until(lambda: not on.app.context.operations.running)
        on.app.frame_loop.paint()
        clock.now += 600
        on.app.frame_loop.paint()
        await on.press("escape")
        await on.until(lambda: on.app.monitor_screen is not None)
        on.app.frame_loop.paint()
        await on.until(lambda: "Revoked 1 task" in screen_lines(on.app)[-2])
        clock.now += 14
        on.app.frame_loop.paint()
        assert on.app.context.operations.result is not None
        clock.now += 2
        on.app.frame_loop.paint()
        assert on.app.context.operations.result is None


async def test_what_ends_while_another_goes_on_is_shown_and_then_the_other() -> None:
    async with opened() as on:
        clock = on.app.context.clock
        assert isinstance(clock, Clock)
        for number in (0, 1):
            await on.to(WAITING[number])
            on.burst("X", "y")
            await on.until(lambda number=number: len(on.session.operations) == number + 1)
        on.session.operations[1].end(refusal="the broker is lost")
        await on.until(lambda: "Did not revoke 1 task: the broker is lost" in on.text)
        assert "1 more running" in on.text
        await on.press("d")
        await on.until(lambda: isinstance(on.app.screen, OperationDialog))
        assert on.app.screen.operation.operation is on.session.operations[1]  # type: ignore[attr-defined]
        await on.press("escape")
        on.session.operations[0].end()
        await on.until(lambda: not on.app.context.operations.running)
        on.app.frame_loop.paint()
        assert "the broker is lost" in on.screen.operation_bar.text
        clock.now += 5
        on.app.frame_loop.paint()
        assert on.app.context.operations.result == on.session.operations[0].outcome


async def test_the_line_goes_on_beneath_a_dialog() -> None:
    async with opened() as on:
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.operations)
        bar = on.screen.operation_bar
        await on.until(lambda: "0 of 2 workers" in bar.text)
        await on.press("d")
        await on.until(lambda: isinstance(on.app.screen, OperationDialog))
        on.session.operations[0].change(workers={"celery@web-1": Answer("confirmed")})
        await on.until(lambda: "1 of 2 workers replied" in bar.text)


async def test_the_line_names_no_key_that_would_be_typed() -> None:
    async with opened() as on:
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.operations)
        bar = on.screen.operation_bar
        await on.until(lambda: bar.text.endswith("d details "))
        await on.press("/")
        assert bar.text.endswith("  details ")
        await on.press("escape")
        assert bar.text.endswith("d details ")


async def test_the_line_goes_by_itself() -> None:
    async with opened() as on:
        clock = on.app.context.clock
        assert isinstance(clock, Clock)
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.operations)
        on.session.operations[0].end()
        await on.until(lambda: "Revoke" in screen_lines(on.app)[-2])
        clock.now += 60
        await on.until(lambda: not screen_lines(on.app)[-2].strip())


async def test_details_follow_an_act_and_u_takes_it_back() -> None:
    async with opened() as on:
        await on.press("d")
        assert on.said[-1] == "No operation in this session yet"
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.operations)
        (act,) = on.session.operations
        await on.press("d")
        await on.until(lambda: isinstance(on.app.screen, OperationDialog))
        await on.press("u")
        assert act.cancelled
        act.end(workers={"celery@web-1": Answer("refused", "no [/] \x1b[31m")})
        await on.until(lambda: "celery@web-1: refused: no [/] \\x1b[31m" in on.text)
        act.cancelled = False
        await on.press("u")
        assert not act.cancelled


async def test_two_operations_at_once_are_both_shown() -> None:
    async with opened() as on:
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: len(on.session.operations) == 1)
        await on.to(WAITING[1])
        on.burst("X", "y")
        await on.until(lambda: len(on.session.operations) == 2)
        await on.until(lambda: "1 more running" in on.text)
        on.session.operations[1].end()
        await on.until(lambda: "1 more running" in on.text and "Revoked 1 task" in on.text)
        on.app.context.clock.now += 5  # type: ignore[attr-defined]
        await on.until(lambda: "more running" not in on.text and "Revoking 1 task" in on.text)


async def test_ten_thousand_are_confirmed_without_holding_up_the_screen() -> None:
    app, session = make_app(cluster(0), Clock())
    for number in range(10_000):
        feed(session.state, task_events(20_000 + number, "mail.send", end="received", at=NOW - 1))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        on = AppUnderTest(app, session, pilot)
        await on.press("2", "/", *"name:mail.send state:received", "enter")
        await on.until(lambda: len(on.table.rows) == 10_001)
        await on.press("a", "X")
        dialog = await on.asked()
        assert dialog.confirmation.must_type == "10001"
        await on.press(*"10001", "enter")
        await on.until(lambda: session.operations)
        (act,) = session.operations
        ids = act.outcome.operation.ids  # type: ignore[attr-defined]
        assert len(ids) == 10_001
        act.change(targets=dict.fromkeys(ids[:5_000], Answer("confirmed")))
        await on.until(lambda: len(on.table.marks) == 5_001)
        app.frame_loop.paint()
        bar = on.screen.operation_bar
        drawn: list[object] = []
        bar.show = lambda *parts: drawn.append(parts)
        for _ in range(5):
            app.frame_loop.paint()
        # An outcome that is the same has been counted already.
        assert drawn == []


async def test_quitting_asks_while_something_is_being_done() -> None:
    async with opened() as on:
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.operations)
        await on.press("q")
        dialog = await on.asked()
        assert dialog.confirmation.targets == ("Revoking 1 task: 0 of 2 workers replied",)
        await on.press("enter")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.app.return_code is None
        await on.press("ctrl+c")
        await on.asked()
        await on.press("ctrl+c")
        assert on.app.return_code is not None


# Read-only


async def test_read_only_is_lifted_after_a_question_and_set_without() -> None:
    async with opened(read_only=True) as on:
        assert " RO " in screen_lines(on.app)[0]
        await on.press(":", *"rw", "enter")
        dialog = await on.asked()
        assert dialog.confirmation.verb == "Allow"
        await on.press("enter")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.session.read_only
        await on.press(":", *"rw", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: not on.session.read_only)
        await on.until(lambda: " RW " in screen_lines(on.app)[0])
        await on.press(":", *"ro", "enter")
        assert on.session.read_only
        await on.until(lambda: " RO " in screen_lines(on.app)[0])


async def test_what_was_not_started_read_only_is_lifted_without_a_question() -> None:
    async with opened() as on:
        await on.press(":", *"ro", "enter")
        assert on.session.read_only
        await on.press("X")
        assert on.said[-1] == "read-only mode; :rw allows changes"
        await on.press(":", *"rw", "enter")
        assert not on.session.read_only
