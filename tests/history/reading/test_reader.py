"""The thread that reads the history."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from celtop.history.open import open_store
from celtop.history.reading.reader import HistoryReader
from celtop.history.store import HistoryStore, StoreError

TIMEOUT = 5.0


class Opened:
    """Opens a store, and counts how often."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def __call__(self) -> HistoryStore:
        self.count += 1
        return open_store(str(self.path))


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return Opened(tmp_path / "history.sqlite3")


@pytest.fixture
def reader(opened: Opened) -> Iterator[HistoryReader]:
    reader = HistoryReader(opened)
    reader.start()
    yield reader
    reader.stop()
    reader.join(TIMEOUT)
    assert not reader.is_alive()


def test_the_store_is_opened_once_and_reads_are_answered_in_its_thread(
    reader: HistoryReader, opened: Opened
) -> None:
    first = reader.ask(lambda store: (list(store.clusters()), threading.current_thread()))
    second = reader.ask(lambda store: store.location)
    assert first.result(TIMEOUT) == ([], reader)
    assert second.result(TIMEOUT) == str(opened.path)
    assert opened.count == 1


def test_after_an_error_of_the_store_it_is_opened_again(
    reader: HistoryReader, opened: Opened
) -> None:
    def fail(store: HistoryStore) -> None:
        raise StoreError("disk I/O error")

    with pytest.raises(StoreError, match="disk I/O error"):
        reader.ask(fail).result(TIMEOUT)
    assert list(reader.ask(lambda store: store.clusters()).result(TIMEOUT)) == []
    assert opened.count == 2


def test_reads_that_wait_are_cancelled_when_it_stops(opened: Opened) -> None:
    reader = HistoryReader(opened)
    begun, go_on = threading.Event(), threading.Event()

    def wait(store: HistoryStore) -> bool:
        begun.set()
        return go_on.wait(TIMEOUT)

    reader.start()
    under_way, waiting = reader.ask(wait), reader.ask(lambda store: store.location)
    assert begun.wait(TIMEOUT)
    reader.stop()
    go_on.set()
    assert under_way.result(TIMEOUT)
    with pytest.raises(CancelledError):
        waiting.result(TIMEOUT)
    with pytest.raises(CancelledError):
        reader.ask(lambda store: store.location).result(TIMEOUT)


def test_every_answer_is_announced(opened: Opened) -> None:
    announced = threading.Event()
    reader = HistoryReader(opened, announced.set)
    reader.start()
    reader.ask(lambda store: store.location)
    assert announced.wait(TIMEOUT)
    reader.stop()
    reader.join(TIMEOUT)
