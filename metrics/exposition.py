"""The text that Prometheus scrapes, in its own format or as OpenMetrics.

A format is chosen by the Accept header, as `prometheus_client` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import isinf
from typing import NamedTuple

from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from .families import Family, HistogramValue

_PROCESS = ProcessCollector(registry=None)
"""CPU seconds, memory and open files of this process, by the names that all exporters use."""


class Exposition(NamedTuple):
    """A page of metrics."""

    content_type: str
    body: bytes


class _Families(Collector):
    """Families as the encoders of `prometheus_client` read them."""

    def __init__(self, families: Iterable[Family], of_process: bool) -> None:
        self._families = families
        self._of_process = of_process

    def collect(self) -> Iterable[Metric]:
        """Return the metrics, and those of this process if they are wanted."""
        yield from map(_metric, _merged(self._families))
        if self._of_process:
            yield from _PROCESS.collect()


def version_family(version: str) -> Family:
    """Return a metric that is always 1, with the version as a label."""
    return Family("celtop_info", "gauge", "The version of celtop.", ("version",), {(version,): 1.0})


def exposition(
    families: Iterable[Family], accept: str = "", *, of_process: bool = True
) -> Exposition:
    """Return metrics as text.

    Args:
        families: The metrics of one or more clusters.
        accept: The Accept header of the request.
        of_process: Whether to add those of this process.
    """
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # it asks for a version that is not a number
        encode, content_type = choose_encoder("")
    return Exposition(content_type, encode(_Families(families, of_process)))


def _merged(families: Iterable[Family]) -> Iterator[Family]:
    """Yield each family once, with the samples of all clusters: formats allow it only once."""
    parts: dict[str, list[Family]] = {}
    for family in families:
        parts.setdefault(family.name, []).append(family)
    for same in parts.values():
        samples = {labels: value for one in same for labels, value in one.samples.items()}
        yield same[0]._replace(samples=samples)


def _metric(family: Family) -> Metric:
    metric = Metric(family.name, family.text, family.kind)
    name = family.name + ("_total" if family.kind == "counter" else "")
    for values, value in family.samples.items():
        labels = dict(zip(family.label_names, values, strict=True))
        if isinstance(value, HistogramValue):
            _add_histogram(metric, labels, value)
        else:
            metric.add_sample(name, labels, value)
    return metric


def _add_histogram(metric: Metric, labels: dict[str, str], value: HistogramValue) -> None:
    counts: Sequence[int] = list(accumulate(value.counts))
    bounds = (*value.bounds, float("inf"))
    for bound, count in zip(bounds, counts, strict=True):
        limit = "+Inf" if isinf(bound) else repr(bound)
        metric.add_sample(f"{metric.name}_bucket", {**labels, "le": limit}, count)
    metric.add_sample(f"{metric.name}_count", labels, counts[-1])
    metric.add_sample(f"{metric.name}_sum", labels, value.total)
