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


def test_a_drawn_layer_keeps_its_name_where_its_value_has_no_room() -> None:
    layers = [("ok", "2.8/s"), ("retry", "39/min"), ("failed", "21/min"), ("other", "0/s")]
    entries = [Entry("#", name, value, name) for name, value in layers]

    def shown(width: int) -> str:
        return "".join(part for part, _ in legend(entries, "", width))

    assert shown(80) == "# ok 2.8/s  # retry 39/min  # failed 21/min  # other 0/s"
    assert shown(43) == "# ok 2.8/s  # retry 39/min  # failed 21/min"
    assert shown(36) == "# ok 2.8/s  # retry  # failed 21/min"
    assert shown(30) == "# ok 2.8/s  # failed 21/min"
