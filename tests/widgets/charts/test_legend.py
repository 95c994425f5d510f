"""The legend of a chart."""

from __future__ import annotations

from celtop.widgets.charts.legend import Entry, legend

LONG = "tenant-19-reconciliation-of-supplier-invoices"


def text(width: int, *names: str) -> str:
    entries = [Entry("#", name, "19,180", "bar") for name in names]
    return "".join(part for part, _ in legend(entries, "", width))


def test_a_name_is_cut_only_where_there_is_no_room_for_all() -> None:
    assert text(80, LONG, "other") == f"# {LONG} 19,180  # other 19,180"
    assert text(57, LONG, "other") == f"# {LONG[:23]}… 19,180  # other 19,180"
    assert text(20, LONG, "other").startswith("# tenant-19")
