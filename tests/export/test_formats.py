"""The formats that `celtop snapshot` and saving a screen share."""

from __future__ import annotations

import pytest
from celtop.export.formats import FORMATS, format_of
from celtop.export.snapshot import take_snapshot
from celtop.model.state import ClusterState

from .conftest import NOW


@pytest.mark.parametrize(
    ("name", "suffix", "start"),
    [("json", ".json", b'{\n  "schema"'), ("text", ".txt", b"celtop snapshot"),
     ("svg", ".svg", b"<svg")],
)  # fmt: skip
def test_each_format_has_a_suffix_and_an_encoder(name: str, suffix: str, start: bytes) -> None:
    assert FORMATS[name].suffix == suffix
    assert format_of(suffix) is FORMATS[name]
    assert FORMATS[name].encode(take_snapshot(ClusterState(), NOW), 120, 50).startswith(start)


def test_an_unknown_suffix() -> None:
    assert format_of(".pdf") is None
