from __future__ import annotations

import pytest
from celtop.export.encoding.text import render
from celtop.export.lists.document import list_document
from celtop.export.lists.records import FailureList
from celtop.lists.context import ListContext, NoApp
from celtop.model.ingest.tasks import failure_groups
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, Script, decode_fields


def test_failures_beyond_the_groups_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_groups, "MAX_GROUPS", 2)
    state = ClusterState()
    scripts = [
        Script(f"t{number}").received().started().failed(exception=f"Error{number}()")
        for number in range(5)
    ]
    state.observe(decode_fields([one for script in scripts for one in script.events], NOW + 9))
    state.take_changes()
    context = ListContext(state, NOW + 9, NoApp())
    document = list_document("failures", context, list(state.failures))
    record = document.record
    assert isinstance(record, FailureList)
    assert (record.matching, record.ungrouped) == (2, 3)
    assert record.notes[-1].text == "3 failed tasks in further groups, not listed"
    assert list(document.notes) == ["3 failed tasks in further groups, not listed"]


def test_an_empty_list_names_its_filter() -> None:
    context = ListContext(ClusterState(), NOW, NoApp())
    (table,) = list_document("workers", context, [], filtered="2\x1b").draw()
    assert table.empty == "No workers match: 2\\x1b"
    (table,) = list_document("workers", context, []).draw()
    assert table.empty == "No workers found"


def test_long_task_names_are_cut_at_their_start() -> None:
    state = ClusterState()
    name = "shop." * 20 + "refund"
    state.observe(decode_fields(Script("t").received(name=name).events, NOW + 1))
    state.take_changes()
    context = ListContext(state, NOW + 9, NoApp())
    text = render(list_document("types", context, list(state.types.values())), 100)
    assert ".refund " in text
