"""The Clusters screen: the monitored cluster, those of the config file and of the history."""

from __future__ import annotations

from celtop.model.entities.cluster.cluster_status import ClusterStatus
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, refused

CLUSTERS = {
    "prod": {"broker_url": "rediss://:secret@redis.example:6380/0"},
    "staging": {"broker_url": "amqp://staging//"},
}
STORED = (
    ClusterStatus("old", "not recorded", at=NOW - 86_400),
    ClusterStatus(
        "prod", "recorded", at=NOW - 1, workers=8, waiting=1_204, runnable_age=75.0,
        failed_per_min=2.0, errors=1, warnings=2,
    ),
)  # fmt: skip


async def test_clusters_that_need_attention_are_first() -> None:
    async with run_app(state=cluster(3), clusters=CLUSTERS) as on:
        on.session.history.found.set_result(STORED)
        await on.press("0")
        await on.until(lambda: "1 error, 2 warnings" in on.text)
        assert {row.name for row in list(on.table.rows)[:2]} == {"demo", "prod"}, "with errors"
        lines = {row.name: line for row in on.table.rows for line in on.text.splitlines()[10::-1]
                 if f" {row.name} " in line}  # fmt: skip
        assert "recorded" in lines["prod"] and "1 error, 2 warnings" in lines["prod"]
        assert "1 m 15 s" in lines["prod"]
        assert "here" in lines["demo"] and "live" in lines["demo"]
        assert "not recorded" in lines["staging"] and "never" in lines["staging"]
        assert "not recorded" in lines["old"] and "1 d ago" in lines["old"]
        assert "secret" not in on.text


async def test_a_name_is_whole_and_nothing_is_counted_before_the_first_connection() -> None:
    clusters = {"production-eu-central": {"broker_url": "redis://eu"}}
    async with run_app(state=refused(), clusters=clusters, size=(60, 15)) as on:
        await on.press("0")
        await on.until(lambda: "production-eu-central" in on.text)
        [here] = [row for row in on.table.rows if row.is_current]
        assert here.failed_per_min is None and here.errors is None


async def test_the_monitored_cluster_has_charts_below_the_list() -> None:
    async with run_app(state=cluster(3), clusters=CLUSTERS, size=(200, 50)) as on:
        await on.press("0", "/", *"demo", "enter")
        await on.until(lambda: "geo_processing 1,204" in on.text)
        await on.press("escape", "/", *"staging", "enter")
        await on.until(lambda: "geo_processing" not in on.text)


async def test_enter_leaves_for_another_cluster() -> None:
    async with run_app(state=cluster(3), clusters=CLUSTERS) as on:
        await on.press("0", "/", *"staging", "enter", "enter")
        assert on.app.return_value == "staging"


async def test_enter_on_a_cluster_without_broker_names_what_can_be_read() -> None:
    async with run_app(state=cluster(3), clusters=CLUSTERS) as on:
        on.session.history.found.set_result(STORED)
        await on.press("0")
        await on.until(lambda: "1 error, 2 warnings" in on.text)
        await on.press("/", *"old", "enter", "enter")
        assert "celtop --cluster old tasks" in on.app.said[-1]
        assert on.app.return_value is None


async def test_enter_on_the_monitored_cluster_opens_its_overview() -> None:
    async with run_app(state=cluster(3), clusters=CLUSTERS) as on:
        await on.press("0", "/", *"demo", "enter", "enter")
        assert on.app.location.view == "overview"


async def test_a_history_that_cannot_be_read_is_noted() -> None:
    async with run_app(state=cluster(3), clusters=CLUSTERS) as on:
        on.session.history.found.set_exception(OSError("the disk is gone"))
        await on.press("0")
        await on.until(lambda: "History not read: the disk is gone" in on.text)


async def test_the_view_is_in_the_footer_only_if_there_are_several() -> None:
    async with run_app(state=cluster(3), clusters=CLUSTERS, size=(200, 50)) as on:
        assert "0 Clusters" in on.text
    async with run_app(state=cluster(3), size=(200, 50)) as on:
        assert "0 Clusters" not in on.text
        await on.press("0")
        assert "Tables [clusters.NAME] in the config file add clusters" in on.text
