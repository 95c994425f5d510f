"""The values of metric families, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from celtop.metrics.cluster_metrics import ClusterMetrics
from celtop.metrics.families import Family, HistogramValue, Labels
from celtop.tests.model.streams import NOW


def values_of(families: Iterable[Family], name: str) -> Mapping[Labels, float]:
    """Return the samples of a counter or gauge by label values."""
    (family,) = (family for family in families if family.name == name)
    found = {}
    for labels, value in family.samples.items():
        assert not isinstance(value, HistogramValue)
        found[labels] = value
    return found


def histograms_of(families: Iterable[Family], name: str) -> Mapping[Labels, HistogramValue]:
    """Return the histograms of a family by label values."""
    (family,) = (family for family in families if family.name == name)
    found = {}
    for labels, value in family.samples.items():
        assert isinstance(value, HistogramValue)
        found[labels] = value
    return found


def value(metrics: ClusterMetrics, name: str, *labels: str, now: float = NOW) -> float | None:
    """Return one value as it is now; None if it is absent."""
    return values_of(metrics.families(now), name).get(labels)
