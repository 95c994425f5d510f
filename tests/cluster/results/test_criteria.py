"""What a database finds by the criteria of a filter is what the filter itself finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from celtop.cluster.results.backends.base import ResultReader
from celtop.cluster.results.criteria import criteria, names_unfinished
from celtop.cluster.results.open import open_results
from celtop.cluster.results.search import ResultSearch
from celtop.model.entities.result import ResultMeta
from celtop.model.query.condition import Condition
from celtop.model.query.language import Query, parse_query
from celtop.settings import Settings
from celtop.tests.cluster.results.test_search import create_tables
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
COLUMNS = frozenset({"id", "name", "worker", "queue", "finished"})
NAMES = ("geo.resize", "GEO.Resize", "a_b", "a%b", "axb", "a\\b", "it's", "Straße", "[x]", "", None)
STATES = ("SUCCESS", "FAILURE", "REVOKED", "STARTED", "PROGRESS")
DATES = ("2026-11-01", "2026-11-10", "2026-11-19")

VALUES = st.sampled_from(
    ["geo*", "*RESIZE", "a?b", "a_b", "a%b", "=a_b", "it's", "=it's", "STRASSE", "ß", "~^a", "[x]",
     "*", "a\\b", "x,geo", '"a*b"', "=GEO.Resize"]
)  # fmt: skip
TERMS = st.one_of(
    st.builds("{}{}:{}".format, st.sampled_from(["", "!"]),
              st.sampled_from(["name", "worker", "queue", "id"]), VALUES),
    st.builds("{}state:{}".format, st.sampled_from(["", "!"]),
              st.sampled_from(["failure", "finished", "faulty,success", "revoked", "running"])),
    st.builds("{}{}:{}".format, st.sampled_from(["", "!"]), st.sampled_from(["finished", "age"]),
              st.sampled_from([">5d", "<5d", "<=15d", "<1d,<12d"])),
    st.builds("finished:{}".format,
              st.sampled_from([*DATES, "2026-11-01..2026-11-10", "<2026-11-10", ">=2026-11-10"])),
    st.sampled_from(["geo", "exception:OSError", "error:=OSError", "result:1", "!result:1",
                     "retries:>0", "runtime:>0", "received:>1s", "!received:>1s", "periodic:x"]),
)  # fmt: skip


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResultReader]:
    path = tmp_path_factory.mktemp("criteria") / "results.sqlite3"
    create_tables(f"db+sqlite:///{path}")
    fill(path)
    found = open_results(Settings(result_backend=f"db+sqlite:///{path}"))
    yield found
    found.close()


def fill(path: Path) -> None:
    rows = [
        (
            f"{name}-{state}-{date}", state, name, name, None if state == "REVOKED" else name,
            b'{"exc_type": "OSError", "exc_message": [1]}' if state == "FAILURE" else b"1",
            f"{date} 12:00:00.000000",
        )
        for name in NAMES
        for state in STATES
        for date in DATES
    ]  # fmt: skip
    with sqlite3.connect(path) as database:
        database.executemany(
            "insert into celery_taskmeta (task_id, status, name, worker, queue, result, date_done)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def ids(metas: list[ResultMeta]) -> list[str]:
    return sorted(meta.id for meta in metas)


@given(st.lists(TERMS, min_size=1, max_size=3).map(" ".join))
def test_the_database_finds_what_the_filter_finds(reader: ResultReader, text: str) -> None:
    every: list[ResultMeta] = []
    reader.search(ResultSearch(NOW), every.extend)
    search = ResultSearch(NOW, parse_query(text, UTC), timeout=60.0)
    assert not search.query.problems
    found: list[ResultMeta] = []
    ended = reader.search(search, found.extend)
    assert ids(found) == ids(search.matching(every))
    assert ended.total == len(found) and not ended.more
    counted = reader.search(
        ResultSearch(NOW, search.query, limit=0, thorough=True, values=False), lambda metas: None
    )
    if not search.query.text or not names_unfinished(search.conditions):
        assert counted.total == len(found)


def conditions(text: str) -> tuple[Condition, ...]:
    query: Query = parse_query(text, UTC)
    return tuple(term.condition for term in query.terms)


@pytest.mark.parametrize(
    "text",
    ["state:started", "state:success,progress", "state:running", "state:waiting name:geo"],
)
def test_states_of_unfinished_tasks_are_named(text: str) -> None:
    assert names_unfinished(conditions(text))


@pytest.mark.parametrize(
    "text",
    ["", "state:success", "!state:failure", "!state:started", "state:finished", "name:started"],
)
def test_states_of_unfinished_tasks_are_not_named(text: str) -> None:
    assert not names_unfinished(conditions(text))


def test_what_no_entry_can_match_is_not_searched() -> None:
    for text in ("received:<5m", "waited:>1s", "state:running", "runtime:>1", "periodic:x",
                 "state:success exception:x", "state:success state:failure"):  # fmt: skip
        assert criteria(conditions(text), COLUMNS, NOW) is None, text
    assert criteria(conditions("state:started"), COLUMNS, NOW, unfinished=True) is not None
