from __future__ import annotations

import pytest
from celtop.metrics.families import (
    MAX_LABEL_LENGTH,
    OTHER,
    HistogramValue,
    LabelValues,
    histograms,
    numbers,
)


def test_names_beyond_the_limit_are_other() -> None:
    labels = LabelValues(2)
    assert [labels[name] for name in ("a", "b", "c", "a", "d")] == ["a", "b", OTHER, "a", OTHER]
    assert len(labels) == 2


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ('a"b\\c', 'a"b\\c'),
        ("a\nb", "a\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\ud800", "<U+D800>"),
        ("\u202eabc", "<U+202E>abc"),
    ],
)
def test_a_label_is_one_line_of_printable_utf8(name: str, label: str) -> None:
    assert LabelValues(1)[name] == label
    label.encode()


def test_a_long_name_is_shortened() -> None:
    assert len(LabelValues(1)["x" * 10_000]) == MAX_LABEL_LENGTH


def test_label_sets_beyond_the_limit_are_counted_together() -> None:
    counts = numbers(2)
    for labels in (("a", "1"), ("b", "1"), ("c", "1"), ("d", "2"), ("a", "1")):
        counts.at(labels).value += 1
    assert counts.samples() == {("a", "1"): 2, ("b", "1"): 1, (OTHER, OTHER): 2}


def test_a_forgotten_label_makes_room() -> None:
    counts = numbers(2)
    counts.at(("a", "1"))
    counts.at(("b", "1"))
    counts.forget(0, frozenset({"a"}))
    counts.at(("c", "1"))
    assert set(counts.samples()) == {("b", "1"), ("c", "1")}


def test_a_histogram_counts_up_to_and_including_each_bound() -> None:
    series = histograms(5, (1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 2.0, 99.0):
        series.at(("t",)).observe(seconds)
    assert series.samples() == {("t",): HistogramValue((1.0, 2.0), (2, 2, 1), 104.0)}
