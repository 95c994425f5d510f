"""Workflows and groups are indexed for the held tasks only."""

from __future__ import annotations

from celtop.model.entities.cluster.totals import Totals
from celtop.model.ingest.tasks.store.task_store import TaskStore


def test_a_child_is_found_by_its_parent_until_its_root_is_known() -> None:
    store = TaskStore(Totals())
    relations = store.relations
    child = store.add("child")
    relations.set_family(child, None, "parent")
    assert list(relations.family("parent")) == ["child"]
    relations.set_family(child, "root", None)
    assert list(relations.family("root")) == ["child"] and not relations.family("parent")
    relations.set_family(child, "child", None)
    assert not relations.family("root") and child.parent_id == "parent"


def test_known_relations_are_not_overwritten() -> None:
    store = TaskStore(Totals())
    child = store.add("child")
    store.relations.fill(child, "child", None, None)
    assert (child.root_id, child.parent_id, child.group_id) == ("child", None, None)
    store.relations.fill(child, "root", "parent", "g")
    assert (child.root_id, child.parent_id, child.group_id) == ("child", "parent", "g")
    store.relations.fill(child, None, "other", "h")
    assert (child.root_id, child.parent_id, child.group_id) == ("child", "parent", "g")
    assert not store.relations.group("h")


def test_evicted_tasks_leave_their_families_and_groups() -> None:
    store = TaskStore(Totals(), max_tasks=2)
    for id_ in "abc":
        store.relations.fill(store.add(id_), "root", None, "g")
    assert list(store.relations.group("g")) == ["a", "b", "c"]
    store.evict()
    assert list(store.relations.group("g")) == ["b", "c"]
    assert list(store.relations.family("root")) == ["b", "c"]
    assert not store.relations.group("unknown")


def test_related_tasks_of_a_large_workflow_are_limited() -> None:
    store = TaskStore(Totals())
    for number in range(50):
        parent_id = "0" if number else None
        store.relations.set_family(store.add(str(number)), "0", parent_id)
    assert len(store.relations.related(store.tasks["7"])) == 49
    assert len(store.relations.related(store.tasks["7"], 10)) <= 12
