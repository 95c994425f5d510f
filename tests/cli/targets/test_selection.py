"""Filters on the command line: one with a term that is not understood would match more tasks."""

from __future__ import annotations

import pytest
from celtop.cli.exit_codes import InvalidUsage
from celtop.cli.targets.selection import matching_tasks, read_filter
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import ResultsRead
from celtop.model.query.definite import definite
from celtop.model.query.language import parse_query
from celtop.model.state import ClusterState
from celtop.settings import Settings
from celtop.tests.tui.fake_session import NOW, FakeSession


@pytest.mark.parametrize("text", ["name:geo.*", "name:a state:received", '"two words"', "id:*"])
def test_valid_filters(text: str) -> None:
    assert read_filter(text, Settings()).text == text


@pytest.mark.parametrize(
    "text",
    ["", "  ", "name:", "name:a state:", "name:a nope:b", "runtime:>soon", "name:~[", "!"],
)
def test_invalid_filters(text: str) -> None:
    with pytest.raises(InvalidUsage, match="--filter"):
        read_filter(text, Settings())


@pytest.mark.parametrize(
    ("text", "field", "advice"),
    [
        ("name:mail.*", "name", "; for tasks to come, set result_extended = True"),
        ("started:<1h", "started", ""),
    ],
)
def test_tasks_that_could_not_be_compared_are_reported(
    text: str, field: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ClusterState()
    state.observe(ResultsRead((ResultMeta("a", "SUCCESS", done_at=NOW - 5),), NOW, "history"))
    assert matching_tasks(FakeSession(state), definite(parse_query(text))) == []  # type: ignore[arg-type]
    assert capsys.readouterr().err == (
        f"celtop: Could not compare 1 task whose {field} is unknown."
        f" Pass their ids instead of a filter{advice}\n"
    )
