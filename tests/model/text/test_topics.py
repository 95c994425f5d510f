"""Tests of the patterns of topic exchanges."""

from __future__ import annotations

from celtop.model.text.topics import topic_matches


def test_a_pattern_of_many_wildcards_is_matched_in_bounded_time() -> None:
    key = ".".join(["a"] * 60)
    assert topic_matches("a" + ".#" * 40, key)
    assert not topic_matches("#.b" + ".#" * 40, key)
