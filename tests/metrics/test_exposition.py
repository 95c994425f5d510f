"""Read back by the parsers of `prometheus_client`, which are not ours."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from typing import Any

import pytest
from celtop.metrics.cluster_metrics import ClusterMetrics
from celtop.metrics.exposition import exposition, version_family
from celtop.metrics.families import Family, HistogramValue
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, Script, play
from prometheus_client import parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.samples import Sample

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"

HOSTILE = ['a"} 1\nevil 2', "back\\slash", "new\nline\r", "\x00\x1b[2J", "é中🐇", "{}=,"]


def read(body: bytes) -> list[Sample]:
    families = parser.text_string_to_metric_families(body.decode())
    return [sample for family in families for sample in family.samples]


def numbers(samples: Iterable[Sample], name: str) -> list[float]:
    return [sample.value for sample in samples if sample.name == name]


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_the_format_stays_valid_with_any_names_of_the_cluster(accept: str) -> None:
    state = ClusterState()
    metrics = ClusterMetrics(state, HOSTILE[0])
    for number, name in enumerate(HOSTILE):
        script = Script(f"t{number}", worker=f"w{name}").sent(name=name, queue=name)
        script.received(name=name).started().failed(exception=f"{name}('x')")
        play(script.events, state)
    page = exposition(metrics.families(NOW), accept)
    parse: Any = read_openmetrics if accept else parser.text_string_to_metric_families
    families = list(parse(page.body.decode()))
    samples = [sample for family in families for sample in family.samples]
    assert ("openmetrics" in page.content_type) == bool(accept)
    assert page.body.decode().endswith("# EOF\n") == bool(accept)
    assert sum(numbers(samples, "flower_events_total")) == 4 * len(HOSTILE)
    assert len({sample.labels.get("task") for sample in samples} - {None}) == len(HOSTILE)
    assert not numbers(samples, "evil")
    if not accept:
        checked = subprocess.run(["promtool", "check", "metrics"], input=page.body, check=False)
        assert checked.returncode == 0


def test_an_invalid_version_is_answered_in_the_default_format() -> None:
    page = exposition([version_family("1.0")], "application/openmetrics-text;version=banana")
    assert page.content_type.startswith("text/plain; version=0.0.4")


def test_a_histogram_is_cumulative() -> None:
    value = HistogramValue((0.5, 1.0), (1, 2, 3), 9.5)
    family = Family("wait_seconds", "histogram", "Waits.", ("task",), {("a",): value})
    samples = read(exposition([family]).body)
    buckets = {s.labels["le"]: s.value for s in samples if s.name == "wait_seconds_bucket"}
    assert buckets == {"0.5": 1, "1.0": 3, "+Inf": 6}
    assert numbers(samples, "wait_seconds_count") == [6]
    assert numbers(samples, "wait_seconds_sum") == [9.5]


def test_a_family_of_two_clusters_is_written_once() -> None:
    parts = [
        Family("depth", "gauge", "Depth.", ("cluster",), {(name,): float(number)})
        for number, name in enumerate(("a", "b"))
    ]
    page = exposition(parts).body.decode()
    assert page.count("# TYPE depth gauge") == 1
    assert {s.labels["cluster"]: s.value for s in read(page.encode()) if s.name == "depth"} == {
        "a": 0,
        "b": 1,
    }


def test_the_process_and_the_version_are_there() -> None:
    samples = read(exposition([version_family("1.2.3")]).body)
    assert [s.labels for s in samples if s.name == "celtop_info"] == [{"version": "1.2.3"}]
    assert numbers(samples, "process_cpu_seconds_total")[0] > 0
    assert numbers(samples, "process_resident_memory_bytes")[0] > 1 << 20
