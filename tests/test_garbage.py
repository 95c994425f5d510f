"""Garbage is collected later during the start, and on the screen while no key is pressed."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from celtop import garbage
from celtop.garbage import IdleCollector


def test_it_is_put_off_and_resumed() -> None:
    before = gc.get_threshold()
    try:
        garbage.put_off()
        assert gc.get_threshold() == (garbage.START_THRESHOLD, *before[1:])
        garbage.resume()
        assert gc.get_threshold() == (garbage.USUAL_THRESHOLD, *before[1:])
    finally:
        gc.set_threshold(*before)


@pytest.fixture
def collections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    thresholds, done = gc.get_threshold(), list[int]()
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "collect", lambda: done.append(1))
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, 10))
    yield done
    gc.set_threshold(*thresholds)


def test_a_full_collection_waits_for_a_pause_of_the_keys(collections: list[int]) -> None:
    collector = IdleCollector()
    assert gc.get_threshold()[2] == garbage.NEVER
    assert not collector.collect(100.0, pressed_at=99.0)
    assert not collections
    assert collector.collect(101.0, pressed_at=99.0)
    assert collections == [1]


def test_full_collections_are_rare(collections: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    collector = IdleCollector()
    assert collector.collect(100.0, pressed_at=0.0)
    assert not collector.collect(159.0, pressed_at=0.0)
    assert collector.collect(161.0, pressed_at=0.0)
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, 9))
    assert not collector.collect(300.0, pressed_at=0.0)
    assert collections == [1, 1]


def test_keys_put_off_a_full_collection_within_a_bound(
    collections: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = IdleCollector()
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, garbage.MAX_COLLECTIONS - 1))
    assert not collector.collect(100.0, pressed_at=99.9)
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, garbage.MAX_COLLECTIONS))
    assert collector.collect(101.0, pressed_at=100.9)
    assert collections == [1]
