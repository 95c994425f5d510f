from __future__ import annotations

from pathlib import Path

import pytest
from celtop.export.finding_codes import with_code_table
from celtop.model.entities.limits.thresholds import Thresholds

DOCUMENT = Path(__file__).parents[2] / "docs" / "findings.md"


def test_the_document_lists_every_code() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert with_code_table(document) == document, "run: make keys"


def test_the_document_lists_every_limit() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert [name for name in Thresholds.__struct_fields__ if f"`{name}`" not in document] == []


def test_a_document_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="<!-- codes -->"):
        with_code_table("nothing")
