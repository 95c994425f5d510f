"""CSV: read by Python's reader as a spreadsheet would, with nothing to run as a formula."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from celtop.export.encoding.csv import MAX_CELL, encode, neutral
from celtop.export.encoding.document import Document
from celtop.export.lists.document import list_document
from celtop.lists.listing import LISTINGS
from celtop.model.state import ClusterState
from celtop.tests.export.conftest import context, run_task, table_document
from hypothesis import given
from hypothesis import strategies as st


def rows_of(document: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(encode(document).decode(), newline=""), strict=True))


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=1", "＝1", "＠a", "\u00a0=1",
     "=HYPERLINK(\"http://evil.example\")", "=cmd|' /C calc'!A0"],
)  # fmt: skip
def test_a_formula_is_text(text: str) -> None:
    (row,) = rows_of(table_document(text))
    assert row["id"].startswith(("'", "\\"))


@pytest.mark.parametrize("text", ["shop.add", "1-2", "a=b", "'a'", '"=1"', "日本", "", "(1, 2)"])
def test_other_texts_stay(text: str) -> None:
    (row,) = rows_of(table_document(text))
    assert row["id"] == text


@given(st.lists(st.text(st.characters(), max_size=20), max_size=5))
def test_any_text_is_one_harmless_cell(texts: list[str]) -> None:
    rows = rows_of(table_document(*texts))
    assert len(rows) == len(texts)
    for row in rows:
        (cell,) = row.values()
        assert cell.isprintable()
        assert not unicodedata.normalize("NFKC", cell).lstrip().startswith(("=", "+", "-", "@"))


def test_numbers_and_times_are_values(state: ClusterState) -> None:
    failed: dict[str, object] = {"type": "task-failed", "exception": "Boom('x')", "traceback": "T"}
    run_task(state, 1, failed)
    listed, shown = LISTINGS["tasks"], context(state)
    rows = listed.rows(shown, "", listed.order_by(shown))
    (row,) = rows_of(list_document("tasks", shown, rows))
    assert float(row["runtime_s"]) == 1.0
    assert row["retries"] == "0"
    assert row["received_at"].endswith("Z")
    assert (row["result"], row["exception"], row["sent_at"]) == ("", "Boom('x')", "")
    state.workers["w1@a"].clock_skew = -2.5
    listed = LISTINGS["workers"]
    rows = listed.rows(shown, "w1", listed.order_by(shown))
    (row,) = rows_of(list_document("workers", shown, rows, chosen=("load", "skew", "queues")))
    assert row == {"load": "[0.5,0.25,0.125]", "clock_skew_s": "-2.5", "queues": "celery"}


def test_a_neutral_text_is_recognized_by_its_quote() -> None:
    assert neutral("=1") == "'=1"


def test_a_text_is_no_longer_than_a_cell() -> None:
    assert len(neutral("=" * 1_000_000)) == MAX_CELL
    assert neutral("x" * 40_000).endswith("x…")
