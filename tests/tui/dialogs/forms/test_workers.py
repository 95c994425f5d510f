"""The forms of workers, queues and limits, on the screen and with keys."""

from __future__ import annotations

from typing import Any

from celtop.model.entities.queue import Pause
from celtop.model.entities.worker import Limits
from celtop.model.observations import InspectReply, QueuePeeked, QueuesPaused, WaitingMessage
from celtop.model.operations.commands import (
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
)
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import screen_lines
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tests.tui.form_app import GEO, WEB, FormUnderTest, opened
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.forms.base import FormDialog
from celtop.tui.dialogs.menu import Menu
from celtop.tui.dialogs.text import Preview
from celtop.tui.operations.tasks.task_limits import restoring

# Workers


async def test_pools_grow_and_shrink_by_a_number() -> None:
    async with opened() as on:
        await on.press("3")
        await on.to(GEO)
        await on.press("+")
        await on.dialog(FormDialog)
        assert f"{GEO}: 4 -> 5" in on.text
        await on.write("3")
        assert f"{GEO}: 4 -> 7" in on.text
        await on.press("enter")
        assert await on.done() == PoolGrow(workers=(GEO,), by=3)
        refreshes = on.session.refreshes
        on.session.operations[-1].end()
        await on.pilot.pause(0.2)
        assert on.session.refreshes == refreshes + 1
        await on.press("space", "G", "space", "-")
        await on.dialog(FormDialog)
        await on.press("enter")
        assert await on.done() == PoolShrink(workers=(GEO, WEB), by=1)


async def test_autoscale_begins_with_the_present_limits() -> None:
    state = cluster(10)
    stats = {**(state.workers[GEO].stats or {}), "autoscaler": {"min": 2, "max": 6, "current": 4}}
    state.observe(InspectReply(GEO, "stats", stats, NOW))
    async with opened(state) as on:
        await on.press("3")
        await on.to(GEO)
        from celtop.tui.operations import workers

        on.app.begin(workers.autoscale(on.app))
        await on.dialog(FormDialog)
        assert (on.form.texts["least"], on.form.texts["most"]) == ("2", "6")
        await on.write("9")
        assert "less than the minimum" in on.advice("most")
        await on.press("tab")
        await on.write("12")
        await on.press("enter")
        assert await on.done() == Autoscale(workers=(GEO,), most=12, least=9)


async def test_a_consumer_is_added_with_its_binding() -> None:
    async with opened() as on:
        await on.press("3")
        await on.to(GEO)
        await on.press("C")
        await on.dialog(Menu)
        await on.press("enter")
        await on.dialog(FormDialog)
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
    async with opened() as on:
        await on.press("3")
        await on.to(GEO)
        await on.press("C")
        menu = await on.dialog(Menu)
        assert [choice[0] for choice in menu.choices] == ["add", "cancel geo_processing"]
        await on.press("down", "enter")
        assert await on.done() == CancelConsumer(workers=(GEO,), queue="geo_processing")


# Queues


async def test_a_queue_is_paused_exactly_as_it_is_consumed_and_resumed_so() -> None:
    state = cluster(10)
    told = [{"name": "geo_processing", "routing_key": "geo.#",
             "exchange": {"name": "geo_x", "type": "topic"}}]  # fmt: skip
    state.observe(InspectReply(GEO, "active_queues", told, NOW))
    paused = PauseQueue(
        queue="geo_processing", consumers=(Consumer(GEO, "geo_x", "topic", "geo.#"),)
    )
    async with opened(state) as on:
        from celtop.tui.operations import queues

        await on.press("4")
        await on.to("geo_processing")
        on.app.begin(queues.pause(on.app))
        assert await on.done() == paused
        on.session.held["geo_processing"] = paused
        on.session.operations[-1].end()
        state.observe(InspectReply(GEO, "active_queues", [], NOW + 1))
        state.observe(QueuesPaused({"geo_processing": Pause((GEO,))}, NOW + 1))
        on.app.context.clock.now += 2  # type: ignore[attr-defined]
        await on.pilot.pause(0.3)
        on.app.frame_loop.paint()
        await on.pilot.pause()
        assert any("geo_processing" in line and "paused" in line for line in screen_lines(on.app))
        on.app.begin(queues.resume(on.app))
        assert await on.done() == ResumeQueue(queue="geo_processing", consumers=paused.consumers)


async def test_one_task_name_is_purged_after_a_look_at_what_would_go() -> None:
    from celtop.tui.operations import queues

    messages = tuple(
        WaitingMessage(f"id-{at}", "mail.send" if at % 3 else "mail.\x1bevil", "celery", f"({at},)")
        for at in range(30)
    )
    async with opened() as on:
        on.session.peeking.set_result(QueuePeeked("celery", messages, NOW, complete=False))
        await on.press("4")
        await on.to("celery")
        on.app.begin(queues.purge_task(on.app))
        menu = await on.dialog(Menu)
        assert [choice[0] for choice in menu.choices] == ["mail.send", "mail.\x1bevil"]
        assert "at least 20 messages" in on.text and "\x1b" not in on.text
        await on.press("enter")
        await on.dialog(Preview)
        assert "id-1  (1,)" in on.text and "more may be deleted" in on.text
        assert not on.session.done
        await on.press("enter")
        await on.dialog(ConfirmDialog)
        await on.write("celery")
        await on.press("enter")
        assert on.session.done == [Purge(queue="celery", task="mail.send")]


# Types


def limited(**workers: Limits) -> ClusterState:
    state = cluster(40)
    for name, worker in ((WEB, "web"), (GEO, "geo")):
        found = state.workers[name]
        found.registered = ("images.resize",)
        found.initial_limits = {"images.resize": Limits(rate="10/m")}
        found.limits = {"images.resize": workers[worker]}
    return state


async def open_limits(on: FormUnderTest) -> Any:
    await on.press("5", "/", *"images.resize", "enter", "L")
    return await on.dialog(Menu)


async def test_soft_and_hard_limit_are_sent_together_with_what_the_other_is() -> None:
    both = Limits(rate="10/m", soft=30.0, hard=60.0)
    async with opened(limited(web=both, geo=both)) as on:
        await open_limits(on)
        await on.press("down", "enter")
        await on.dialog(FormDialog)
        assert on.form.texts == {"soft": "30s", "hard": "1m"}
        assert "only after a pool restart" in on.text
        await on.write("90s")
        assert "shorter than the hard" in on.advice("soft")
        await on.press("tab")
        await on.write("2m")
        await on.press("enter")
        command = TimeLimit(workers=(GEO, WEB), task="images.resize", soft=90.0, hard=120.0)
        assert await on.done() == command


async def test_limits_that_differ_have_to_be_said() -> None:
    async with opened(limited(web=Limits(soft=5.0), geo=Limits(hard=9.0))) as on:
        await open_limits(on)
        await on.press("down", "enter")
        await on.dialog(FormDialog)
        assert f"{WEB}: soft 5 s" in on.text.replace("5.0 s", "5 s")
        assert on.form.values == {}
        await on.write("none")
        await on.press("tab")
        await on.write("none")
        await on.press("enter")
        command = TimeLimit(workers=(GEO, WEB), task="images.resize", soft=None, hard=None)
        assert await on.done() == command


async def test_a_rate_is_limited() -> None:
    async with opened(limited(web=Limits(), geo=Limits())) as on:
        await open_limits(on)
        await on.press("enter")
        await on.dialog(FormDialog)
        await on.write("7/h")
        await on.press("enter")
        command = RateLimit(workers=(GEO, WEB), task="images.resize", rate="7/h")
        assert await on.done() == command


def test_first_limits_are_put_back_by_one_command_for_each_value() -> None:
    first = {"a": Limits("10/m", 5.0, 9.0), "b": Limits(), "c": Limits("1/s"), "d": None}
    now = {"a": Limits(), "b": Limits("3/s", 1.0, 2.0), "c": Limits("1/s"), "d": Limits("9/s")}
    assert restoring("t", now, first) == [
        RateLimit(workers=("a",), task="t", rate="10/m"),
        RateLimit(workers=("b",), task="t", rate="0"),
        TimeLimit(workers=("a",), task="t", soft=5.0, hard=9.0),
        TimeLimit(workers=("b",), task="t", soft=None, hard=None),
    ]
    assert restoring("t", first, first) == []
