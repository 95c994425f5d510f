"""From a key to a question, from there to the session, and back into a line on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from celtop.bindings import ACTIONS
from celtop.model.command import PauseQueue, Purge, ResumeQueue, Revoke, RevokeStamped
from celtop.model.confirmation import Confirmation
from celtop.model.outcome import Answer
from celtop.tests.tui.stage import (
    NOW,
    Clock,
    StillSession,
    cluster,
    feed,
    screen_lines,
    staged,
    task_events,
)
from celtop.tui.app import CeltopApp
from celtop.tui.navigation import Drill, Place
from celtop.tui.screens.act_dialog import ActDialog, OutcomeDialog
from celtop.tui.screens.confirm import ConfirmDialog
from celtop.tui.screens.dialog import Dialog
from celtop.tui.screens.menu import Menu
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

WAITING = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(500, 504)]
DONE = "00000005-0000-4000-8000-000000000005"
RUNNING = f"{9003:08x}-0000-4000-8000-{9003:012x}"

PLACES = [
    *(Place(view) for view in ("overview", "tasks", "workers", "queues", "types", "scheduled")),
    Place("log"),
    Place("tasks", (Drill("task", WAITING[0]),)),
    Place("workers", (Drill("worker", "celery@web-1"),)),
]


def acting() -> Any:
    """The shop with four tasks more that wait."""
    state = cluster(20)
    for number in range(500, 504):
        feed(state, task_events(number, "mail.send", end="received", at=NOW - 1))
    return state


class Stage:
    def __init__(self, app: CeltopApp, session: StillSession, pilot: Pilot[Any]) -> None:
        self.app, self.session, self.pilot = app, session, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def burst(self, *keys: str) -> None:
        """Have keys typed ahead: all are there before the first is looked at."""
        for key in keys:
            self.app.post_message(Key(key, key if len(key) == 1 else None))

    async def until(self, holds: Any) -> None:
        for _ in range(300):
            if holds():
                return
            await self.pilot.pause(0.02)
        raise AssertionError("did not come to hold:\n" + "\n".join(screen_lines(self.app)))

    async def asked(self) -> ConfirmDialog:
        await self.until(lambda: isinstance(self.app.screen, ConfirmDialog))
        await self.until(lambda: self.app.screen.mounted.is_set())  # type: ignore[attr-defined]
        dialog = self.app.screen
        assert isinstance(dialog, ConfirmDialog)
        return dialog

    async def to(self, row_id: str) -> None:
        assert self.table.move_to(row_id)
        await self.pilot.pause()

    @property
    def table(self) -> Any:
        return self.app.screen.table  # type: ignore[attr-defined]

    @property
    def text(self) -> str:
        return "\n".join(screen_lines(self.app))

    @property
    def said(self) -> list[str]:
        return [str(one.message) for one in self.app._notifications]


@asynccontextmanager
async def stage(
    place: Place | None = None, size: tuple[int, int] = (120, 36), **settings: Any
) -> AsyncIterator[Stage]:
    app, session = staged(acting(), Clock(), **settings)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        on = Stage(app, session, pilot)
        app.go(place or Place("tasks"))
        await on.until(lambda: app.monitor_screen is not None and app.monitor_screen.ready)
        await pilot.pause(0.05)
        yield on


# No key acts by itself


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.view}{len(place.path)}")
async def test_no_key_changes_anything_without_a_dialog(place: Place) -> None:
    async with stage(place) as on:
        screen = on.app.monitor_screen
        assert screen is not None
        for action in ACTIONS:
            if not action.mutates or not set(action.contexts) & set(screen.CONTEXTS):
                continue
            said = len(on.said)
            await on.press(action.keys[0])
            await on.until(lambda: isinstance(on.app.screen, Dialog) or len(on.said) > said)  # noqa: B023
            assert on.session.done == [], action.id
            if isinstance(on.app.screen, Dialog):
                await on.press("escape")
                await on.until(lambda: not isinstance(on.app.screen, Dialog))
        assert on.session.done == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.view}{len(place.path)}")
async def test_in_read_only_every_such_key_is_refused_with_the_reason(place: Place) -> None:
    async with stage(place, read_only=True) as on:
        screen = on.app.monitor_screen
        assert screen is not None
        acts = [a for a in ACTIONS if a.mutates and set(a.contexts) & set(screen.CONTEXTS)]
        for number, action in enumerate(acts, start=1):
            await on.press(action.keys[0])
            assert on.said.count("read-only: :rw lifts it") == number, action.id
            assert on.app.monitor_screen is screen
        assert on.session.done == []
        assert on.session.asked == []


# The dialog


@pytest.mark.parametrize(
    ("keys", "done"),
    [
        (("enter",), False),
        (("escape",), False),
        (("y",), True),
        (("right", "enter"), True),
        (("tab", "enter"), True),
        (("right", "left", "enter"), False),
        (("l", "h", "l", "enter"), True),
    ],
    ids=str,
)
async def test_what_keys_in_the_dialog_do(keys: tuple[str, ...], done: bool) -> None:
    async with stage() as on:
        await on.to(WAITING[0])
        await on.press("X")
        dialog = await on.asked()
        assert dialog.focused is not None and dialog.focused.id == "cancel"
        await on.press(*keys)
        await on.until(lambda: not isinstance(on.app.screen, Dialog))
        assert bool(on.session.done) is done


async def test_keys_that_are_typed_ahead_are_for_the_dialog() -> None:
    async with stage() as on:
        await on.to(WAITING[1])
        on.burst("X", "y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke)
        assert command.ids == (WAITING[1],)
        assert command.workers == ("celery@geo-1", "celery@web-1")


async def test_list_keys_that_follow_at_once_do_not_act_and_do_not_reach_the_list() -> None:
    async with stage() as on:
        await on.to(WAITING[1])
        on.burst("X", "space", "a", "V", "X", "K", "R")
        await on.asked()
        await on.pilot.pause(0.1)
        assert on.session.done == [] and on.session.asked == []
        await on.press("escape")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.table.marks == () and on.table.cursor_id == WAITING[1]


async def test_what_was_chosen_at_the_key_stays_whatever_arrives() -> None:
    async with stage() as on:
        await on.to(WAITING[2])
        await on.press("X")
        await on.asked()
        feed(on.session.state, task_events(700, "late.arrival", end="received", at=NOW))
        on.app.frames.wanted = True
        await on.pilot.pause(0.3)
        await on.press("y")
        await on.until(lambda: on.session.done)
        assert on.session.done[0].ids == (WAITING[2],)  # type: ignore[union-attr]


async def test_what_has_to_be_typed_enables_the_act() -> None:
    async with stage() as on:
        await on.to(RUNNING)
        on.burst("K", "enter")
        dialog = await on.asked()
        assert dialog.confirmation.typed == "terminate"
        await on.press("y")
        assert isinstance(on.app.screen, ConfirmDialog)
        assert dialog.query_one(Input).value == "y"
        assert dialog.query_one("#yes").disabled
        await on.press("enter")
        assert on.app.screen is dialog
        await on.press("backspace", *"terminate")
        assert not dialog.query_one("#yes").disabled
        await on.press("enter")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke)
        assert command.terminate and command.signal == "SIGTERM" and command.ids == (RUNNING,)


async def test_enter_on_an_empty_line_cancels() -> None:
    async with stage() as on:
        await on.to(RUNNING)
        await on.press("K", "enter")
        await on.asked()
        await on.press("enter")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.session.done == []


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 36)], ids=str)
@pytest.mark.parametrize("typed", [None, "celery"])
async def test_hostile_words_fit_every_terminal(size: tuple[int, int], typed: str | None) -> None:
    hostile = "[/] [b]x[/b] \x1b]0;owned\x07 \u202etxt"
    asked = Confirmation(
        f"Purge {hostile}"[:20],
        hostile,
        tuple(f"{hostile} {number}" for number in range(30)),
        (hostile,) * 5,
        (hostile,) * 5,
        ("w" * 300, hostile),
        typed,
        True,
    )
    async with stage(size=size) as on:
        dialog = ConfirmDialog(asked, (hostile,))
        on.app.push_screen(dialog)
        await on.asked()
        await on.pilot.pause(0.1)
        text = on.text
        assert not any(ord(letter) < 32 and letter != "\n" for letter in text)
        assert "\u202e" not in text
        assert "[b]x[/b]" in text
        assert "Cancel" in text and "Purge" in text
        assert len(screen_lines(on.app)) == size[1]
        facts = dialog.query_one("#facts")
        if size[1] < 36:
            assert facts.max_scroll_y > 0
            await on.press(*["down"] * 3)
            assert facts.scroll_y == (3 if typed is None else 0) or facts.scroll_y == 3


# What came of it


async def test_the_line_follows_and_marks_go_as_targets_are_confirmed() -> None:
    async with stage() as on:
        for id_ in WAITING:
            await on.to(id_)
            await on.press("space")
        await on.press("X")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.acts)
        (act,) = on.session.acts
        await on.until(lambda: "revoking 4" in on.text)
        assert set(on.table.marks) == set(WAITING)
        act.tell(targets=dict.fromkeys(WAITING[:3], Answer("confirmed")))
        await on.until(lambda: on.table.marks == (WAITING[3],))
        confirmed = Answer("confirmed")
        act.end(
            targets={**dict.fromkeys(WAITING[:3], confirmed), WAITING[3]: Answer("unsent")},
            workers={"celery@web-1": confirmed, "celery@geo-1": Answer("silent")},
        )
        await on.until(lambda: "celery@geo-1 silent" in on.text)
        assert "revoked 3 of 4: 1 of 2 workers confirmed" in on.text
        assert on.table.marks == (WAITING[3],)
        await on.press("X")
        again = await on.asked()
        assert again.confirmation.title == "Revoke 1 task"


async def test_the_line_goes_with_a_key_but_not_too_soon() -> None:
    async with stage() as on:
        clock = on.app.scene.clock
        assert isinstance(clock, Clock)
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.acts)
        on.session.acts[0].end(targets={WAITING[0]: Answer("confirmed")})
        await on.until(lambda: "revoked 1" in on.text)
        await on.press("j")
        assert on.app.scene.acts.last is not None
        clock.now += 2
        await on.press("j")
        assert on.app.scene.acts.last is None
        await on.until(lambda: "revoked 1" not in on.text)


async def test_the_line_goes_by_itself() -> None:
    async with stage() as on:
        clock = on.app.scene.clock
        assert isinstance(clock, Clock)
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.acts)
        on.session.acts[0].end()
        await on.until(lambda: "revoke" in screen_lines(on.app)[-2])
        clock.now += 60
        await on.until(lambda: not screen_lines(on.app)[-2].strip())


async def test_details_follow_an_act_and_u_takes_it_back() -> None:
    async with stage() as on:
        await on.press("d")
        assert on.said[-1] == "Nothing was done so far in this session"
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.acts)
        (act,) = on.session.acts
        await on.press("d")
        await on.until(lambda: isinstance(on.app.screen, ActDialog))
        await on.press("u")
        assert act.cancelled
        act.end(workers={"celery@web-1": Answer("refused", "no [/] \x1b[31m")})
        await on.until(lambda: "celery@web-1: refused: no [/] \\x1b[31m" in on.text)
        act.cancelled = False
        await on.press("u")
        assert not act.cancelled


async def test_two_acts_at_once_are_both_told() -> None:
    async with stage() as on:
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: len(on.session.acts) == 1)
        await on.to(WAITING[1])
        on.burst("X", "y")
        await on.until(lambda: len(on.session.acts) == 2)
        await on.until(lambda: "1 more under way" in on.text)
        on.session.acts[1].end()
        await on.until(lambda: "more under way" not in on.text and "revoking 1" in on.text)


async def test_ten_thousand_are_confirmed_without_holding_up_the_screen() -> None:
    app, session = staged(cluster(0), Clock())
    for number in range(10_000):
        feed(session.state, task_events(20_000 + number, "mail.send", end="received", at=NOW - 1))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        on = Stage(app, session, pilot)
        await on.press("2", "/", *"name:mail.send state:received", "enter")
        await on.until(lambda: len(on.table.rows) == 10_001)
        await on.press("a", "X")
        dialog = await on.asked()
        assert dialog.confirmation.typed == "10001"
        await on.press(*"10001", "enter")
        await on.until(lambda: session.acts)
        (act,) = session.acts
        ids = act.outcome.command.ids  # type: ignore[union-attr]
        assert len(ids) == 10_001
        act.tell(targets=dict.fromkeys(ids[:5_000], Answer("confirmed")))
        await on.until(lambda: len(on.table.marks) == 5_001)
        bar = app.screen.query_one("#act")
        drawn: list[object] = []
        bar.show = drawn.append  # type: ignore[attr-defined]
        for _ in range(5):
            app.paint()
        # An outcome that is the same has been counted already.
        assert drawn == []


async def test_quitting_asks_while_something_is_being_done() -> None:
    async with stage() as on:
        await on.to(WAITING[0])
        on.burst("X", "y")
        await on.until(lambda: on.session.acts)
        await on.press("q")
        dialog = await on.asked()
        assert dialog.confirmation.targets == ("revoking 1: 0 of 2 workers so far",)
        await on.press("enter")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert not on.app._exit
        await on.press("ctrl+c")
        await on.asked()
        await on.press("ctrl+c")
        assert on.app._exit


# Read-only


async def test_read_only_is_lifted_after_a_question_and_set_without() -> None:
    async with stage(read_only=True) as on:
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
    async with stage() as on:
        await on.press(":", *"ro", "enter")
        assert on.session.read_only
        await on.press("X")
        assert on.said[-1] == "read-only: :rw lifts it"
        await on.press(":", *"rw", "enter")
        assert not on.session.read_only


# The menu of all acts


async def test_the_menu_lists_all_and_greys_what_cannot_be_done() -> None:
    async with stage() as on:
        await on.to(DONE)
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        menu = on.app.screen
        assert isinstance(menu, Menu)
        reasons = {id_: hint for id_, _, hint in menu.choices}
        assert reasons["task.revoke"] == "has ended: FAILURE"
        assert {"task.revoke", "task.terminate"} <= menu.off
        assert not {"task.retry", "task.rerun", "task.stamp", "task.revoke_listed"} & menu.off
        labels = {id_: label for id_, label, _ in menu.choices}
        assert labels["task.revoke_listed"].endswith("all listed that wait: 6 of 29 ...")
        assert labels["task.revoke"].startswith("X")


async def test_everything_that_the_filter_lets_through_is_revoked() -> None:
    async with stage() as on:
        await on.press("/", *"name:mail.send", "enter")
        await on.until(lambda: len(on.table.rows) == 10)
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        menu = on.app.screen
        assert isinstance(menu, Menu)
        on_the_way = [
            id_ for id_, _, _ in menu.choices if id_ not in menu.off or id_ == "task.revoke_listed"
        ]
        await on.press(*["down"] * on_the_way.index("task.revoke_listed"), "enter")
        dialog = await on.asked()
        assert dialog._notes == ("5: has ended: SUCCESS",)
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke)
        waiting = f"{9004:08x}-0000-4000-8000-{9004:012x}"
        assert set(command.ids) == {*WAITING, waiting}


async def test_the_menu_says_of_everything_that_it_is_read_only() -> None:
    async with stage(Place("queues"), read_only=True) as on:
        await on.press("A")
        await on.until(lambda: isinstance(on.app.screen, Menu))
        menu = on.app.screen
        assert isinstance(menu, Menu)
        reasons = {id_: hint for id_, _, hint in menu.choices}
        assert reasons.pop("queue.look") == ""
        assert set(reasons.values()) == {"read-only: :rw lifts it"}
        assert menu.off == set(reasons)


async def test_a_whole_workflow_is_revoked() -> None:
    async with stage() as on:
        for number, parent in ((900, None), (901, 900), (902, 900), (903, None)):
            told: dict[str, Any] = (
                {} if parent is None else {"root_id": "wf-900", "parent_id": "wf-900"}
            )
            events = task_events(
                number, "chain.step", end="received", at=NOW - 1, uuid=f"wf-{number}", **told
            )
            feed(on.session.state, events)
        on.app.frames.wanted = True
        await on.until(lambda: on.table.move_to("wf-902"))
        from celtop.tui import task_acts

        screen = on.app.monitor_screen
        assert screen is not None
        on.app.begin(task_acts.revoke_workflow(screen))
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke)
        assert set(command.ids) == {"wf-900", "wf-901", "wf-902"}


async def test_a_stamp_is_asked_for() -> None:
    async with stage() as on:
        from celtop.tui import task_acts

        screen = on.app.monitor_screen
        assert screen is not None
        on.app.begin(task_acts.revoke_stamped(screen))
        await on.until(lambda: isinstance(on.app.screen, Dialog))
        await on.press(*"tenant", "enter")
        await on.until(lambda: "as tenant=42" in on.text)
        await on.press(*"=42", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, RevokeStamped) and command.values == ("42",)


# Typed commands


async def test_a_task_is_revoked_by_what_is_typed() -> None:
    async with stage(Place("overview")) as on:
        await on.press(":", *f"revoke {WAITING[3][:8]}", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        assert on.session.done[0].ids == (WAITING[3],)  # type: ignore[union-attr]


async def test_an_unheard_of_task_is_revoked_by_its_whole_id() -> None:
    unknown = "11111111-2222-4333-8444-555555555555"
    async with stage(Place("overview")) as on:
        await on.press(":", *f"revoke {unknown}", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        assert on.session.done[0].ids == (unknown,)  # type: ignore[union-attr]


async def test_a_signal_can_be_typed() -> None:
    async with stage(Place("overview")) as on:
        await on.press(":", *f"terminate {RUNNING[:8]} kill", "enter")
        await on.asked()
        await on.press(*"terminate", "enter")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, Revoke) and command.signal == "SIGKILL"


async def test_a_stamp_can_be_typed() -> None:
    async with stage(Place("overview")) as on:
        await on.press(":", *"stamp tenant=42", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: on.session.done)
        (command,) = on.session.done
        assert isinstance(command, RevokeStamped)
        assert (command.header, command.values) == ("tenant", ("42",))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("revoke", "the id of a task, or how it begins, please"),
        ("revoke ffff", "no tasks begin with ffff"),
        ("retry 0000", "29 tasks begin with 0000"),
        ("pause", "a queue, please"),
        ("stamp tenant", "HEADER=VALUE, please, as tenant=42"),
    ],
)
async def test_what_cannot_be_done_is_told(line: str, said: str) -> None:
    async with stage(Place("overview")) as on:
        on.app.run_command(line)
        await on.pilot.pause()
        assert on.said == [said]
        assert on.session.done == []


async def test_queues_can_be_typed() -> None:
    async with stage(Place("overview")) as on:
        await on.press(":", *"purge celery", "enter")
        dialog = await on.asked()
        assert dialog.confirmation.typed == "celery"
        await on.press(*"celery", "enter")
        await on.until(lambda: on.session.done)
        await on.press(":", *"pause celery", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: len(on.session.done) == 2)
        purge, pause = on.session.done
        assert purge == Purge(queue="celery")
        assert isinstance(pause, PauseQueue)
        assert [one.worker for one in pause.consumers] == ["celery@web-1"]
        on.session.held["celery"] = pause
        await on.press(":", *"resume celery", "enter")
        await on.asked()
        await on.press("y")
        await on.until(lambda: len(on.session.done) == 3)
        assert on.session.done[2] == ResumeQueue(queue="celery", consumers=pause.consumers)


@pytest.mark.parametrize("line", ["trigger", "trigger mail.send", "limit mail.send"])
async def test_forms_can_be_typed(line: str) -> None:
    async with stage(Place("overview")) as on:
        await on.press(":", *line, "enter")
        await on.until(lambda: isinstance(on.app.screen, Dialog))
        await on.until(lambda: on.app.screen.mounted.is_set())  # type: ignore[attr-defined]
        await on.pilot.pause(0.05)
        assert line.partition(" ")[2] in on.text
        await on.press("escape")
        await on.until(lambda: on.app.monitor_screen is not None)
        assert on.session.done == []


# The log


async def test_the_log_shows_an_act_and_enter_all_that_came_of_it() -> None:
    from celtop.model.observations import ActChanged
    from celtop.model.outcome import Outcome

    async with stage(Place("log")) as on:
        outcome = Outcome(
            1,
            Purge(queue="celery"),
            NOW - 9,
            ended_at=NOW - 8,
            refusal="read-only",
        )
        on.session.waiting.append((ActChanged(outcome, NOW - 8), NOW))
        await on.until(lambda: "did not purge celery" in on.text)
        await on.press(":", *"acts", "enter")
        await on.until(lambda: len(on.table.rows) == 1)
        await on.press("g", "enter")
        await on.until(lambda: isinstance(on.app.screen, OutcomeDialog))
        assert "did not purge celery: read-only" in on.text


def test_every_screen_that_has_acts_offers_the_menu() -> None:
    menu = next(action for action in ACTIONS if action.id == "act.menu")
    acts = {context for action in ACTIONS if action.mutates for context in action.contexts}
    assert acts == set(menu.contexts)
