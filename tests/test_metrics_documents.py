"""The dashboard, the alert rules and the list of metrics in `docs/`."""

from __future__ import annotations

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest
from celtop.metrics.cluster_metrics import ClusterMetrics
from celtop.metrics.exposition import version_family
from celtop.metrics.families import Family
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW

DOCS: Final = Path(__file__).parents[1] / "docs"
LIST: Final = DOCS / "metrics.md"
DASHBOARD: Final = DOCS / "metrics" / "grafana-dashboard.json"
RULES: Final = DOCS / "metrics" / "alert-rules.yml"
RULES_TEST: Final = Path(__file__).parent / "alert-rules-test.yml"
METRIC: Final = re.compile(r"\b(?:celtop|flower)_[a-z0-9_]*[a-z0-9]\b")
SUFFIXES: Final = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


def families() -> list[Family]:
    return [*ClusterMetrics(ClusterState()).families(NOW), version_family("1")]


def names_of(family: Family) -> list[str]:
    """Return the names that a family's samples have."""
    return [family.name + suffix for suffix in SUFFIXES.get(family.kind, ("",))]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


@pytest.mark.parametrize("file", [DASHBOARD, RULES, RULES_TEST], ids=lambda file: file.name)
def test_every_metric_that_is_used_exists(file: Path) -> None:
    used = set(METRIC.findall(file.read_text())) - {"celtop_tasks"}
    assert used <= {name for family in families() for name in names_of(family)}


def test_the_list_has_every_metric_with_its_labels_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", LIST.read_text(), re.M)
    listed = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert listed == {
        family.name + ("_total" if family.kind == "counter" else ""): family.label_names
        for family in families()
    }


def test_names_follow_the_conventions_of_prometheus() -> None:
    found = [family.name for family in families()]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"(celtop|flower)_[a-z0-9_]+", name) for name in found)
    assert not any(name.endswith("_total") for name in found)
    assert all(family.text for family in families())


def test_no_two_panels_overlap() -> None:
    places = [panel["gridPos"] for panel in panels()]
    for one, other in combinations(places, 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y, (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert len({panel["id"] for panel in panels()}) == len(places)


@pytest.mark.parametrize("command", [("check", "rules", RULES), ("test", "rules", RULES_TEST)])
def test_promtool_accepts_the_alert_rules(command: tuple[object, ...]) -> None:
    ended = subprocess.run(
        ["promtool", *map(str, command)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "SUCCESS" in ended.stdout
