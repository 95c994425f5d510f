"""Metric families and their samples, and the bounded sets of labels that they are kept in.

Names come from the cluster: regardless of what it sends, the number of series stays bounded, and
each label value is one line of printable text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from ..model.text.sanitize import visible

OTHER: Final = "other"
"""The label value of all that found no room."""
MAX_LABEL_LENGTH: Final = 200
"""Characters of a label value."""

Labels: TypeAlias = tuple[str, ...]
Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


class HistogramValue(NamedTuple):
    """The observations of one label set."""

    bounds: tuple[float, ...]
    """The upper bounds of the buckets in ascending order, without infinity."""
    counts: tuple[int, ...]
    """Observations in each bucket, not cumulative; the last bucket ends at infinity."""
    total: float
    """The sum of all observations."""


class Family(NamedTuple):
    """A metric with its samples, by label values."""

    name: str
    """A counter's name is without `_total`."""
    kind: Kind
    text: str
    label_names: Labels
    samples: Mapping[Labels, float | HistogramValue]


def label_value(name: str) -> str:
    """Return a name as a label value: one line of printable UTF-8."""
    return visible(name, MAX_LABEL_LENGTH).encode(errors="replace").decode()


class LabelValues(dict[str, str]):
    """The label values of names, for at most `limit` names; all others have the value `other`."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __missing__(self, name: str) -> str:
        if len(self) >= self._limit:
            return OTHER
        label = self[name] = label_value(name)
        return label


class Number:
    """A value that is counted up, or set."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class Buckets:
    """The observations of one label set of a histogram."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count an observation."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    @property
    def value(self) -> HistogramValue:
        """The histogram as it is now."""
        return HistogramValue(self._bounds, tuple(self._counts), self._total)


V = TypeVar("V", Number, Buckets)


class Series(Generic[V]):
    """A number or a histogram for each label set.

    Args:
        limit: Label sets; all that come after them share the set of `other`.
        new: Returns the value of a new label set.
    """

    def __init__(self, limit: int, new: Callable[[], V]) -> None:
        self._limit = limit
        self._new: Callable[[], V] = new
        self._values: dict[Labels, V] = {}

    def at(self, labels: Labels) -> V:
        """Return the value of a label set, which stays the same until it is forgotten."""
        if labels not in self._values and len(self._values) >= self._limit:
            labels = (OTHER,) * len(labels)
        value = self._values.get(labels)
        if value is None:
            value = self._values[labels] = self._new()
        return value

    def samples(self) -> Mapping[Labels, float | HistogramValue]:
        """Return the values as they are now."""
        return {labels: value.value for labels, value in self._values.items()}

    def forget(self, position: int, labels: frozenset[str]) -> None:
        """Remove the label sets that have one of some values at a position."""
        for each in [each for each in self._values if each[position] in labels]:
            del self._values[each]


def numbers(limit: int) -> Series[Number]:
    """Return counters or gauges by label set."""
    return Series(limit, Number)


def histograms(limit: int, bounds: tuple[float, ...]) -> Series[Buckets]:
    """Return histograms by label set, all with the same buckets."""
    return Series(limit, lambda: Buckets(bounds))
