"""The forms of what is done to a cluster, on the screen and with keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from celtop.model.call import Call, Original, Recovered, Unrecoverable
from celtop.model.command import (
    AddConsumer,
    Autoscale,
    CancelConsumer,
    Consumer,
    PauseQueue,
    PoolGrow,
    PoolShrink,
    Purge,
    RateLimit,
    ResumeQueue,
    TimeLimit,
    Trigger,
)
from celtop.model.observations import Answered, Peeked, QueuePeeked
from celtop.model.redaction import Redaction
from celtop.model.state import ClusterState
from celtop.model.worker import Limits
from celtop.tests.tui.stage import NOW, StillSession, cluster, screen_lines, staged
from celtop.tui.app import CeltopApp
from celtop.tui.screens.confirm import ConfirmDialog
from celtop.tui.screens.form_dialog import FormDialog
from celtop.tui.screens.menu import Menu
from celtop.tui.screens.text_dialog import Preview
from celtop.tui.screens.trigger_form import open_trigger, usual_queue
from celtop.tui.type_acts import putting_back
from celtop.widgets.form import Form
from textual.events import Key
from textual.pilot import Pilot

WEB, GEO = "celery@web-1", "celery@geo-1"


class Stage:
    """An app, and keys for it."""

    def __init__(self, app: CeltopApp, session: StillSession, pilot: Pilot[Any]) -> None:
        self.app, self.session, self.pilot = app, session, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def write(self, text: str) -> None:
        await self.burst(*text)

    async def burst(self, *keys: str) -> None:
        """Type faster than anybody: all is there before anything is done."""
        for key in keys:
            self.app.post_message(Key(key, key if len(key) == 1 else None))
        for pump in (self.app, lambda: self.app.focused or self.app):
            done = asyncio.Event()
            (pump if isinstance(pump, CeltopApp) else pump()).call_later(done.set)
            await asyncio.wait_for(done.wait(), 5)
        await self.pilot.pause()

    async def until(self, kind: type[Any]) -> Any:
        for _ in range(100):
            screen: Any = self.app.screen
            if isinstance(screen, kind) and screen.mounted.is_set():
                await self.pilot.pause()
                return screen
            await self.pilot.pause(0.02)
        raise AssertionError(f"no {kind.__name__}: {self.app.screen}")

    async def done(self) -> Any:
        """Confirm, and return the command."""
        await self.until(ConfirmDialog)
        await self.press("y")
        assert self.session.done, self.text
        return self.session.done[-1]

    @property
    def form(self) -> Form:
        return self.app.screen.query_one(Form)

    def advice(self, name: str) -> str:
        """Return what stands beside a field."""
        return str(self.form._rows[name].advice.content)

    @property
    def text(self) -> str:
        return "\n".join(screen_lines(self.app))


@asynccontextmanager
async def stage(
    state: ClusterState | None = None, size: tuple[int, int] = (120, 36), **settings: Any
) -> AsyncIterator[Stage]:
    app, session = staged(state or cluster(40), **settings)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.1)
        yield Stage(app, session, pilot)
        for act in session.acts:
            if not act.future.done():
                act.end()
        await pilot.pause()


# Triggering


async def test_a_task_is_triggered_as_it_is_typed() -> None:
    async with stage() as on:
        await on.press("2", "t")
        await on.until(FormDialog)
        await on.write("images.res")
        await on.press("down")
        assert on.form.texts["name"] == "images.resize"
        await on.press("tab")
        await on.pilot.pause(0.1)
        assert on.form.texts["queue"] == "celery"
        await on.write('["ü", 1.5]')
        await on.press("tab")
        await on.write('{"size": [1, null]}')
        await on.press("tab", "tab")
        await on.write("3")
        await on.press("tab")
        await on.write("90s")
        await on.press("tab", "tab")
        await on.write("2h")
        assert "images.resize('ü', 1.5, size=[1, None])" in on.text
        await on.press("enter")
        assert await on.done() == Trigger(
            calls=(
                Call(
                    name="images.resize",
                    args=("ü", 1.5),
                    kwargs={"size": [1, None]},
                    queue="celery",
                    priority=3,
                    countdown=90.0,
                    expires_in=7200.0,
                ),
            )
        )


async def test_nothing_is_sent_while_anything_is_wrong() -> None:
    async with stage() as on:
        await on.press("5", "t")
        await on.until(FormDialog)
        await on.press("tab")
        for text, why in (("[1e999]", "too large"), ("[1,", "at the end"), ("[NaN]", "no JSON")):
            await on.write(text)
            assert why in on.advice("args")
            await on.press("enter")
            assert isinstance(on.app.screen, FormDialog) and not on.session.done
            await on.press(*["backspace"] * len(text))
        await on.press("tab", "tab", "tab", "tab")
        await on.write("5m")
        await on.press("tab")
        await on.write("09:00")
        assert on.advice("eta_at") == "! either a countdown or an ETA"
        await on.press("enter", "escape")
        assert not on.session.done


async def test_the_label_of_the_field_that_is_typed_into_stands_out() -> None:
    def standing_out(on: Stage) -> list[str]:
        rows = on.form._rows.values()
        return [row.entry.id for row in rows if row.query_one(".label").styles.text_style.bold]

    async with stage() as on:
        await on.press("5", "t")
        await on.until(FormDialog)
        assert standing_out(on) == ["name"]
        await on.press("tab")
        assert standing_out(on) == ["args"]
        await on.press("tab", "tab")
        assert standing_out(on) == ["queue"]


async def test_keys_typed_ahead_are_done_in_their_order() -> None:
    async with stage() as on:
        await on.press("5", "t")
        await on.until(FormDialog)
        await on.burst("tab", *"[1,2", *["backspace"] * 4, *"[7]", "tab", *"{", "backspace")
        assert (on.form.texts["args"], on.form.texts["kwargs"]) == ("[7]", "")
        await on.burst("tab", "end", *"x", "backspace", "enter")
        assert (await on.done()).calls[0].args == (7,)


async def test_what_was_typed_is_there_again_if_it_is_not_confirmed() -> None:
    async with stage() as on:
        await on.press("5", "t")
        await on.until(FormDialog)
        await on.press("tab")
        await on.write("[5]")
        await on.press("enter")
        await on.until(ConfirmDialog)
        await on.press("escape")
        await on.until(FormDialog)
        assert on.form.texts["args"] == "[5]"
        await on.press("escape")
        assert not on.session.done and not isinstance(on.app.screen, FormDialog)


async def test_the_queue_follows_the_name_until_it_is_typed() -> None:
    state = cluster(40)
    assert usual_queue(state, "geo.convert_to_raster") == "geo_processing"
    assert usual_queue(state, "never.seen") is None
    async with stage(state) as on:
        await on.press("2", "t")
        await on.until(FormDialog)
        await on.write("geo.convert_to_raster")
        assert on.form.texts["queue"] == "geo_processing"
        await on.press("tab", "tab", "tab")
        await on.write("x")
        await on.press("shift+tab", "shift+tab", "shift+tab")
        await on.press(*["backspace"] * 40)
        await on.write("mail.send")
        assert on.form.texts["queue"] == "geo_processingx"


async def test_the_queue_that_is_given_is_never_replaced_by_the_usual_one() -> None:
    async with stage() as on:
        call = msgspec.structs.replace(EXACT.call, name="geo.convert_to_raster", queue="celery")
        await open_with(on, msgspec.structs.replace(EXACT, call=call))
        assert on.form.texts["queue"] == "celery"
        await on.press("home")
        await on.write("x")
        await on.press("backspace")
        await on.press("enter")
        assert (await on.done()).calls[0].queue == "celery"


async def test_the_eta_is_read_in_the_zone_of_the_screen_and_explained() -> None:
    async with stage() as on:
        await on.press("5", "t")
        await on.until(FormDialog)
        await on.press(*["tab"] * 6)
        await on.write("09:30")
        assert on.form.values["eta_at"] == NOW + 5400
        assert on.advice("eta_at") == "2027-01-15 09:30:00, in 1 h 30 m"
        await on.press(*["backspace"] * 5)
        await on.write("2020-01-01T00:00Z")
        assert "starts at once" in on.advice("eta_at")


async def open_with(on: Stage, known: Call | Recovered) -> None:
    screen = on.app.monitor_screen
    assert screen is not None
    on.app.begin(open_trigger(screen, known, "old-id"))
    await on.until(FormDialog)


EXACT = Original(
    "old-id",
    Call(
        name="mail.send",
        args=(Decimal("1.10"), "\x1b[31m‮[/]"),
        kwargs={"a": (1, 2)},
        queue="celery",
        priority=4,
        time_limit=60.0,
        headers={"tenant": "t1"},
    ),
    "queue",
    NOW,
    missing=("callbacks",),
)


async def test_what_is_left_alone_is_sent_as_the_value_that_is_known() -> None:
    async with stage() as on:
        await open_with(on, EXACT)
        assert "\x1b" not in on.text and "‮" not in on.text
        assert "the message in its queue" in on.text and "callbacks" in on.text
        await on.press("enter")
        call = (await on.done()).calls[0]
        assert call == msgspec.structs.replace(EXACT.call, retry_of="old-id")
        assert isinstance(call.args[0], Decimal) and isinstance(call.kwargs["a"], tuple)


async def test_an_exact_value_can_be_edited_as_typed_json() -> None:
    async with stage() as on:
        await open_with(on, EXACT)
        args = on.form.texts["args"]
        assert '"__type__": "decimal"' in args
        on.form.put("args", args.replace("1.10", "2.20"))
        await on.pilot.pause()
        await on.press("enter")
        assert (await on.done()).calls[0].args == (Decimal("2.20"), "\x1b[31m‮[/]")


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (Unrecoverable("old-id", "cut", Call(name="mail.send", queue="celery"),
                       "('aaa...',)", "{}"), "cut or not readable"),
        (Unrecoverable("old-id", "gone", Call(name="mail.send", queue="celery")), "not known"),
        (Unrecoverable("old-id", "hidden", Call(name="mail.send", queue="celery"),
                       "('***',)", "{}"), "holds ***"),
        (msgspec.structs.replace(EXACT, readable=False), "not known"),
    ],
)  # fmt: skip
async def test_what_is_cut_hidden_or_unknown_has_to_be_typed(known: Recovered, why: str) -> None:
    async with stage() as on:
        await open_with(on, known)
        assert why in on.advice("args")
        await on.press("enter")
        assert isinstance(on.app.screen, FormDialog) and not on.session.done
        on.form.put("args", '["x"]')
        if "kwargs" not in on.form.values:
            on.form.put("kwargs", "{}")
        await on.pilot.pause()
        await on.press("enter")
        call = (await on.done()).calls[0]
        assert call.args == ("x",) and call.retry_of == "old-id"


async def test_what_an_event_tells_whole_is_kept_although_the_rest_was_cut() -> None:
    known = Unrecoverable(
        "old-id", "cut", Call(name="mail.send", queue="celery"), "('aaa...',)", "{'a': (1, 'b')}"
    )
    async with stage() as on:
        await open_with(on, known)
        assert on.form.values["kwargs"] == {"a": (1, "b")}
        assert "args" not in on.form.values


async def test_what_the_users_patterns_hide_is_neither_shown_nor_sent() -> None:
    state = cluster(40)
    state.redaction = Redaction(["password"])
    known = Original("old-id", Call(name="mail.send", kwargs={"password": "s3cret", "n": 1},
                                    queue="celery"), "queue", NOW)  # fmt: skip
    async with stage(state) as on:
        await open_with(on, known)
        assert "s3cret" not in on.text and "***" in on.text
        await on.press("enter")
        assert isinstance(on.app.screen, FormDialog)
        on.form.put("kwargs", '{"password": "***", "n": 2}')
        await on.pilot.pause()
        assert "kwargs" not in on.form.values
        on.form.put("kwargs", '{"password": "new", "n": 2}')
        await on.pilot.pause()
        assert on.form.values["kwargs"] == {"password": "new", "n": 2}


async def test_what_is_too_long_to_edit_is_sent_as_it_is() -> None:
    long = ("x" * 100_000,)
    known = Original("old-id", Call(name="mail.send", args=long, queue="celery"), "backend", NOW)
    async with stage() as on:
        await open_with(on, known)
        assert "too long to edit" in on.advice("args")
        await on.press("enter")
        assert (await on.done()).calls[0].args == long


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_the_form_fits_small_terminals(size: tuple[int, int]) -> None:
    async with stage(size=size, ascii=True) as on:
        await on.press("5", "t")
        await on.until(FormDialog)
        await on.press("shift+tab", "shift+tab", "shift+tab")
        assert "Expires in" in on.text and "Cancel" in on.text
        dialog = [line for line in screen_lines(on.app) if "|" in line]
        assert dialog and all(line.isascii() for line in dialog)


# Workers


async def test_pools_grow_and_shrink_by_a_number() -> None:
    async with stage() as on:
        await on.press("3", "+")
        await on.until(FormDialog)
        assert f"{GEO}: 4 -> 5" in on.text
        await on.write("3")
        assert f"{GEO}: 4 -> 7" in on.text
        await on.press("enter")
        assert await on.done() == PoolGrow(workers=(GEO,), by=3)
        refreshes = on.session.refreshes
        on.session.acts[-1].end()
        await on.pilot.pause(0.2)
        assert on.session.refreshes == refreshes + 1
        await on.press("space", "G", "space", "-")
        await on.until(FormDialog)
        await on.press("enter")
        assert await on.done() == PoolShrink(workers=(GEO, WEB), by=1)


async def test_autoscale_begins_with_the_present_limits() -> None:
    state = cluster(10)
    stats = {**(state.workers[GEO].stats or {}), "autoscaler": {"min": 2, "max": 6, "current": 4}}
    state.observe(Answered(GEO, "stats", stats, NOW), NOW)
    async with stage(state) as on:
        await on.press("3")
        screen = on.app.monitor_screen
        assert screen is not None
        from celtop.tui import worker_acts

        on.app.begin(worker_acts.autoscale(screen))
        await on.until(FormDialog)
        assert (on.form.texts["least"], on.form.texts["most"]) == ("2", "6")
        await on.write("9")
        assert "less than the least" in on.advice("most")
        await on.press("tab")
        await on.write("12")
        await on.press("enter")
        assert await on.done() == Autoscale(workers=(GEO,), most=12, least=9)


async def test_a_consumer_is_added_with_its_binding() -> None:
    async with stage() as on:
        await on.press("3", "C")
        await on.until(Menu)
        await on.press("enter")
        await on.until(FormDialog)
        await on.write("extra")
        await on.press("tab")
        await on.write("ex")
        await on.press("tab", "right", "tab")
        await on.write("k.#")
        await on.press("enter")
        assert await on.done() == AddConsumer(
            workers=(GEO,), queue="extra", exchange="ex", exchange_type="topic", routing_key="k.#"
        )


async def test_a_consumer_is_cancelled_of_those_that_there_are() -> None:
    async with stage() as on:
        await on.press("3", "C")
        menu = await on.until(Menu)
        assert [choice[0] for choice in menu.choices] == ["add", "stop geo_processing"]
        await on.press("down", "enter")
        assert await on.done() == CancelConsumer(workers=(GEO,), queue="geo_processing")


# Queues


async def test_a_queue_is_paused_exactly_as_it_is_consumed_and_resumed_so() -> None:
    state = cluster(10)
    told = [{"name": "geo_processing", "routing_key": "geo.#",
             "exchange": {"name": "geo_x", "type": "topic"}}]  # fmt: skip
    state.observe(Answered(GEO, "active_queues", told, NOW), NOW)
    paused = PauseQueue(
        queue="geo_processing", consumers=(Consumer(GEO, "geo_x", "topic", "geo.#"),)
    )
    async with stage(state) as on:
        from celtop.tui import queue_acts

        await on.press("4", "j")
        screen = on.app.monitor_screen
        assert screen is not None
        on.app.begin(queue_acts.pause(screen))
        assert await on.done() == paused
        on.session.held["geo_processing"] = paused
        on.session.acts[-1].end()
        on.app.scene._paused = None
        await on.pilot.pause(0.3)
        on.app.paint()
        await on.pilot.pause()
        assert any("geo_processing" in line and "paused" in line for line in screen_lines(on.app))
        on.app.begin(queue_acts.resume(screen))
        assert await on.done() == ResumeQueue(queue="geo_processing", consumers=paused.consumers)


async def test_one_task_name_is_purged_after_a_look_at_what_would_go() -> None:
    from celtop.tui import queue_acts

    messages = tuple(
        Peeked(f"id-{at}", "mail.send" if at % 3 else "mail.\x1bevil", "celery", f"({at},)")
        for at in range(30)
    )
    async with stage() as on:
        on.session.peeking.set_result(QueuePeeked("celery", messages, NOW, complete=False))
        await on.press("4")
        screen = on.app.monitor_screen
        assert screen is not None
        on.app.begin(queue_acts.purge_task(screen))
        menu = await on.until(Menu)
        assert [choice[0] for choice in menu.choices] == ["mail.send", "mail.\x1bevil"]
        assert "at least 20 messages" in on.text and "\x1b" not in on.text
        await on.press("enter")
        await on.until(Preview)
        assert "id-1  (1,)" in on.text and "more may go" in on.text
        assert not on.session.done
        await on.press("enter")
        await on.until(ConfirmDialog)
        await on.write("celery")
        await on.press("enter")
        assert on.session.done == [Purge(queue="celery", task="mail.send")]


# Types


def limited(**workers: Limits) -> ClusterState:
    state = cluster(40)
    for name, worker in ((WEB, "web"), (GEO, "geo")):
        found = state.workers[name]
        found.registered = ("images.resize",)
        found.first_limits = {"images.resize": Limits(rate="10/m")}
        found.limits = {"images.resize": workers[worker]}
    return state


async def open_limits(on: Stage) -> Any:
    await on.press("5", "/", *"images.resize", "enter", "L")
    return await on.until(Menu)


async def test_soft_and_hard_limit_are_sent_together_with_what_the_other_is() -> None:
    both = Limits(rate="10/m", soft=30.0, hard=60.0)
    async with stage(limited(web=both, geo=both)) as on:
        await open_limits(on)
        await on.press("down", "enter")
        await on.until(FormDialog)
        assert on.form.texts == {"soft": "30s", "hard": "1m"}
        assert "until their pool restarts" in on.text
        await on.write("90s")
        assert "shorter than the hard" in on.advice("soft")
        await on.press("tab")
        await on.write("2m")
        await on.press("enter")
        command = TimeLimit(workers=(GEO, WEB), task="images.resize", soft=90.0, hard=120.0)
        assert await on.done() == command


async def test_limits_that_differ_have_to_be_said() -> None:
    async with stage(limited(web=Limits(soft=5.0), geo=Limits(hard=9.0))) as on:
        await open_limits(on)
        await on.press("down", "enter")
        await on.until(FormDialog)
        assert f"{WEB}: soft 5 s" in on.text.replace("5.0 s", "5 s")
        assert on.form.values == {}
        await on.write("none")
        await on.press("tab")
        await on.write("none")
        await on.press("enter")
        command = TimeLimit(workers=(GEO, WEB), task="images.resize", soft=None, hard=None)
        assert await on.done() == command


async def test_a_rate_is_limited() -> None:
    async with stage(limited(web=Limits(), geo=Limits())) as on:
        await open_limits(on)
        await on.press("enter")
        await on.until(FormDialog)
        await on.write("7/h")
        await on.press("enter")
        command = RateLimit(workers=(GEO, WEB), task="images.resize", rate="7/h")
        assert await on.done() == command


def test_first_limits_are_put_back_by_one_command_for_each_value() -> None:
    first = {"a": Limits("10/m", 5.0, 9.0), "b": Limits(), "c": Limits("1/s"), "d": None}
    now = {"a": Limits(), "b": Limits("3/s", 1.0, 2.0), "c": Limits("1/s"), "d": Limits("9/s")}
    assert putting_back("t", now, first) == [
        RateLimit(workers=("a",), task="t", rate="10/m"),
        RateLimit(workers=("b",), task="t", rate="0"),
        TimeLimit(workers=("a",), task="t", soft=5.0, hard=9.0),
        TimeLimit(workers=("b",), task="t", soft=None, hard=None),
    ]
    assert putting_back("t", first, first) == []
