"""Deploys: workers that come back with other software or other tasks."""

from __future__ import annotations

import msgspec
import pytest
from celtop.model.entities.cluster.log import EventLog
from celtop.model.entities.fact import Fact
from celtop.model.entities.series.time_series import Mark, Marks
from celtop.model.entities.worker import Worker
from celtop.model.ingest.workers.deploys import MAX_VERSIONS, ROLLOUT_SECONDS, Deploys
from celtop.model.observations import InspectReply
from celtop.model.state import ClusterState
from celtop.model.text import units
from celtop.tests.model.streams import NOW, WORKER

SHOP = ("shop.bill", "shop.ship")


class Cluster:
    """Workers that list their tasks."""

    def __init__(self) -> None:
        self.marks = Marks()
        self.log = EventLog()
        self.deploys = Deploys(self.marks, self.log)

    def registers(
        self, name: str, tasks: tuple[str, ...], at: float = NOW, software: str | None = "5.4.0"
    ) -> None:
        worker = Worker(name, software_version=software, registered=tasks)
        worker.software = "py-celery"
        self.deploys.registered(worker, at)

    def starts(self, name: str, tasks: tuple[str, ...], at: float = NOW) -> None:
        self.marks.add(at, "started", name)
        self.registers(name, tasks, at)

    @property
    def texts(self) -> list[str]:
        return [mark.text for mark in self.marks if mark.kind == "deployed"]


def test_workers_that_are_found_at_the_start_are_no_deploys() -> None:
    cluster = Cluster()
    cluster.registers("a", SHOP)
    cluster.registers("b", (*SHOP, "shop.extra"))
    cluster.registers("a", SHOP, NOW + 60)
    assert cluster.texts == []


@pytest.mark.parametrize(
    ("tasks", "software", "text"),
    [
        ((*SHOP, "shop.new"), "5.4.0", "added shop.new"),
        (("shop.bill",), "5.4.0", "removed shop.ship"),
        (SHOP, "5.5.0", "py-celery 5.4.0 to py-celery 5.5.0"),
        (("a", "b", "c", "d", *SHOP), "5.4.0", "added a, b, c and 1 more"),
        (("shop.bill", "x"), "5.5.0", "py-celery 5.4.0 to py-celery 5.5.0; added x; "
         "removed shop.ship"),
        (SHOP, None, None),
    ],
)  # fmt: skip
def test_a_worker_that_comes_back_with_something_else_is_a_deploy(
    tasks: tuple[str, ...], software: str | None, text: str | None
) -> None:
    cluster = Cluster()
    cluster.registers("a", SHOP)
    cluster.registers("a", tasks, NOW + 60, software)
    assert cluster.texts == ([] if text is None else [text])


def test_a_rollout_over_many_workers_is_marked_and_logged_once() -> None:
    cluster = Cluster()
    for name in "abc":
        cluster.registers(name, SHOP)
    for number, name in enumerate("abc"):
        cluster.registers(name, (*SHOP, "shop.new"), NOW + 60 * number)
    assert list(cluster.marks) == [Mark(NOW, "deployed", "a", "added shop.new")]
    assert [entry.text for entry in cluster.log] == ["Deploy on a: added shop.new"]


def test_a_rollback_and_the_next_rollout_are_deploys_of_their_own() -> None:
    cluster = Cluster()
    new = (*SHOP, "shop.new")
    cluster.registers("a", SHOP)
    for number, tasks in enumerate((new, SHOP, new)):
        cluster.registers("a", tasks, NOW + number * (ROLLOUT_SECONDS + 1))
    assert cluster.texts == ["added shop.new", "removed shop.new", "added shop.new"]


def test_a_worker_under_a_new_name_is_compared_with_the_most_similar_one() -> None:
    cluster = Cluster()
    cluster.registers("mail-1", ("mail.send", "mail.bounce"))
    cluster.registers("shop-1", SHOP)
    cluster.starts("shop-2", SHOP, NOW + 1)
    assert cluster.texts == []
    cluster.starts("shop-3", (*SHOP, "shop.new"), NOW + 2)
    cluster.starts("report-1", ("report.daily",), NOW + 3)
    assert cluster.texts == ["added shop.new"]


@pytest.mark.parametrize("replies_before", [False, True])
def test_a_deploy_while_no_celtop_ran_is_marked_with_the_time_between(replies_before: bool) -> None:
    before = Cluster()
    before.registers("a", SHOP)
    before.registers("b", SHOP)
    known = before.deploys.known(NOW)
    after, later = Cluster(), NOW + 3_600
    found = msgspec.structs.replace(known, at=later, unobserved_since=NOW + 60)
    if replies_before:
        after.registers("a", (*SHOP, "shop.new"), later)
    after.deploys.restore(found)
    if not replies_before:
        after.registers("a", (*SHOP, "shop.new"), later)
    after.registers("b", (*SHOP, "shop.new"), later)
    began, ended = (units.date_time(at)[11:16] for at in (NOW + 60, later))
    day = units.date_time(NOW)[:10]
    assert after.texts == [f"added shop.new (between {day} {began} and {ended})"]
    after.registers("b", SHOP, later + ROLLOUT_SECONDS)
    assert after.texts[1:] == ["removed shop.new"]


def test_a_worker_that_started_in_the_gap_is_compared_with_the_most_similar_one() -> None:
    before = Cluster()
    before.registers("shop-1", SHOP)
    found = msgspec.structs.replace(
        before.deploys.known(NOW), at=NOW + 3_600, unobserved_since=NOW + 60
    )
    after = Cluster()
    after.deploys.restore(found)
    worker = Worker("shop-2", registered=(*SHOP, "shop.new"), uptime=600.0)
    worker.facts["stats"] = Fact(answered_at=NOW + 3_600)
    after.deploys.registered(worker, NOW + 3_600)
    (text,) = after.texts
    assert text.startswith("added shop.new (between ")


def test_a_known_version_that_is_unchanged_is_no_deploy() -> None:
    before = Cluster()
    before.registers("a", SHOP)
    after = Cluster()
    after.deploys.restore(before.deploys.known(NOW))
    after.registers("a", SHOP, NOW + 60)
    assert after.texts == []
    after.registers("a", SHOP, NOW + 90, "5.5.0")
    assert after.texts == ["py-celery 5.4.0 to py-celery 5.5.0"]


def test_the_memory_of_workers_is_bounded() -> None:
    cluster = Cluster()
    for number in range(3 * MAX_VERSIONS):
        cluster.starts(f"w{number}", (*SHOP, f"t{number}"), NOW + number)
    assert len(cluster.deploys.versions) == MAX_VERSIONS
    assert len(cluster.deploys.marked) == MAX_VERSIONS


def test_a_reply_with_other_tasks_is_marked_in_the_model() -> None:
    state = ClusterState()
    for at, names in ((NOW, ["shop.bill"]), (NOW + 9, ["shop.bill", "shop.new"])):
        state.observe(InspectReply(WORKER, "registered", names, at))
    assert [mark.text for mark in state.series.marks] == ["added shop.new"]
