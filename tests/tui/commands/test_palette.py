"""What the palette finds."""

from __future__ import annotations

from celtop.bindings import ACTIONS
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events
from celtop.tui.commands.palette import SAME, CeltopCommands
from celtop.tui.commands.table import COMMANDS
from celtop.tui.navigation import DrillDown, Location
from textual.command import DiscoveryHit, Hit

HOSTILE = "celery@[/red]\x1b[31m"


async def listed(ui: AppUnderTest) -> list[str]:
    """Return the lines of the empty palette."""
    hits = CeltopCommands(ui.screen).discover()
    return [str(hit.text) async for hit in hits if isinstance(hit, DiscoveryHit)]


async def found(ui: AppUnderTest, query: str) -> dict[str, Hit]:
    """Return the hits of a query by their lines."""
    hits = [hit async for hit in CeltopCommands(ui.screen).search(query) if isinstance(hit, Hit)]
    return {str(hit.text): hit for hit in hits}


def test_what_a_command_and_a_key_do_alike_exists() -> None:
    assert set(SAME) <= {command.name for command in COMMANDS}
    assert set(SAME.values()) <= {action.id for action in ACTIONS}


async def test_nothing_is_listed_twice() -> None:
    async with run_app(cluster(5), Location("tasks")) as ui:
        names = await listed(ui)
        assert len(set(names)) == len(names)
        assert "Tasks (2)" in names and "revoke (X)" in names and ":pause QUEUE" in names
        assert not {":tasks [FILTER]", ":revoke ID...", ":help", ":undo"} & set(names)


async def test_workers_queues_types_and_tasks_are_found_and_opened() -> None:
    async with run_app(cluster(5)) as ui:
        assert "queue geo_processing" in await found(ui, "geo_pro")
        assert "type images.resize" in await found(ui, "resize")
        assert "task 00000003-0000-4000-8000-000000000003 geo.convert_to_raster" in await found(
            ui, "00000003"
        )
        (await found(ui, "geo-2"))["worker celery@geo-2"].command()
        place = Location("workers", (DrillDown("worker", "celery@geo-2"),))
        await ui.until(lambda: ui.app.location == place)


async def test_words_come_before_parts_and_commands_before_names_of_the_cluster() -> None:
    state = cluster(5)
    feed(state, task_events(77, "revoke.all", at=NOW))
    feed(state, task_events(78, "unrevoked", at=NOW))
    feed(state, task_events(79, "r.e.v.o.k.e", at=NOW))
    async with run_app(state, Location("tasks")) as ui:
        hits = await found(ui, "revoke")
        names = sorted(hits, key=lambda name: -hits[name].score)
        assert names[0] == "revoke (X)"
        assert names.index("revoke (X)") < names.index("type revoke.all")
        assert names.index("type revoke.all") < names.index("type unrevoked")
        assert "type r.e.v.o.k.e" not in names
        in_help = [name for name in names if "revoke" not in name.lower()]
        assert in_help and names[-len(in_help) :] == in_help
        assert {"worker celery@geo-1", "queue geo_processing"} <= set(await found(ui, "geo"))
        assert not any("page down" in name for name in await found(ui, "geo"))


async def test_scattered_letters_find_a_name_if_nothing_contains_the_query() -> None:
    async with run_app(cluster(5)) as ui:
        assert "queue geo_processing" in await found(ui, "gprcs")
        assert not await found(ui, "zzzqqq")


async def test_names_from_the_cluster_are_not_markup() -> None:
    state = cluster(5)
    feed(state, [Event("worker-online", HOSTILE, NOW)])
    feed(state, task_events(77, "[bold]task", at=NOW))
    async with run_app(state) as ui:
        await ui.press("ctrl+p")
        await ui.pilot.press(*"red")
        await ui.until(lambda: "worker celery@[/red]" in ui.text)
        assert "\x1b" not in ui.text
