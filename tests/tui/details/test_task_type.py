"""The fields of a task type."""

from __future__ import annotations

from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, Script, play
from celtop.tui.details.task_type import type_fields
from celtop.widgets.table.column import Frame


def exceptions(*scripts: Script) -> str:
    state = ClusterState()
    for script in scripts:
        play(script.events, state)
    [kind] = state.types.values()
    found = {field.label: field.value for field in type_fields(kind, state, Frame(NOW))}
    return found["Exceptions"]


def test_exceptions_of_retries_are_said_to_be_counted() -> None:
    failed = Script("a").received().started().failed()
    retried = Script("b").received().started().retried().started().failed()
    assert exceptions(failed) == "1 Oops"
    assert exceptions(failed, retried) == "2 Oops, 1 Again (retries included)"


def test_exceptions_are_counted_as_other_numbers_are() -> None:
    scripts = [
        Script(f"t{number}").received().started().failed(exception="Oops()")
        for number in range(1_200)
    ]
    assert exceptions(*scripts) == "1,200 Oops"
