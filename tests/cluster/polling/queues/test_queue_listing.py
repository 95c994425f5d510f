"""Lists of queues as the management API returns them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from celtop.cluster.connection.management_api import ManagementApi, ManagementError
from celtop.cluster.polling.queues import queue_listing
from celtop.cluster.polling.queues.queue_listing import QueueListing, QueueStatistics
from celtop.model.entities.fault import Fault
from celtop.model.entities.messages.delayed import Delayed, DelayLevel

Row = dict[str, Any]


class Api:
    """Replies with rows; keeps the paths of the requests."""

    is_wanted = True

    def __init__(self, *rows: Row) -> None:
        self.rows = list(rows)
        self.bindings: list[Row] = []
        self.paths: list[str] = []
        self.fault: Fault | None = None

    def get(self, path: str) -> Any:
        self.paths.append(path)
        if self.fault is not None:
            raise ManagementError(self.fault)
        return self.bindings if path.startswith("exchanges/") else self.rows


def row(name: str, ready: int = 0, unacked: int = 0, **more: Any) -> Row:
    total = ready + unacked
    return {
        "name": name,
        "type": "quorum",
        "messages": total,
        "messages_ready": ready,
        "messages_unacknowledged": unacked,
        **more,
    }


@pytest.fixture
def listing_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., QueueListing]:
    """`listing_of(api)`: a listing that asks the API as often as it is told to."""
    monkeypatch.setattr(queue_listing, "_pause", lambda started: 0.0)
    monkeypatch.setattr(queue_listing, "REFRESH_TIMEOUT", 10.0)
    return lambda api, **options: QueueListing(cast(ManagementApi, api), "a/b", **options)


def test_statistics_are_not_always_due(
    listing_of: Callable[..., QueueListing],
) -> None:
    api = Api(*(row(f"q{n}", n) for n in range(5)))
    listing = listing_of(api)
    listing.refresh()
    assert listing.queues is not None
    assert [one.waiting for one in listing.queues.values()] == [0, 1, 2, 3, 4]
    assert api.paths[0].startswith("queues/a%2Fb?disable_stats=true")
    assert len(api.paths) == 2
    listing.refresh()
    assert len(api.paths) == 3, "statistics are not due yet"


def test_there_may_be_too_many_queues(
    listing_of: Callable[..., QueueListing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_listing, "MAX_LISTED", 4)
    api = Api(*(row(f"q{n}", n) for n in range(9)))
    listing = listing_of(api)
    listing.refresh()
    assert list(listing.queues or ()) == ["q8", "q7", "q6", "q5"]
    assert listing.fault is not None and listing.fault.kind == "too-many"


def test_rows_of_unexpected_shapes(listing_of: Callable[..., QueueListing]) -> None:
    api = Api({"name": "new"}, row("old", 1, 2, type="rabbit_classic_queue", arguments=[]))
    listing = listing_of(api)
    listing.refresh()
    assert listing.queues is not None
    new, old = listing.queues["new"], listing.queues["old"]
    assert (new.kind, new.waiting, new.unacked, new.undeliverable) == ("classic", None, None, 0)
    assert (old.kind, old.waiting, old.unacked, old.max_priority) == ("classic", 1, 2, None)
    assert listing.statistics("new") == listing.statistics("missing") == QueueStatistics()


def test_statistics(listing_of: Callable[..., QueueListing]) -> None:
    rates = {"publish_details": {"rate": 2.5}}
    listing = listing_of(Api(row("q", consumers=3, message_bytes=70, message_stats=rates)))
    listing.refresh()
    assert listing.statistics("q") == QueueStatistics(False, 3, 70, 2.5, 0.0)


def test_a_failed_request_is_repeated_later(listing_of: Callable[..., QueueListing]) -> None:
    api = Api(row("q"))
    api.fault = Fault("refused", "refused", "")
    listing = listing_of(api)
    for _ in range(3):
        listing.refresh()
    assert (listing.queues, listing.fault, len(api.paths)) == (None, api.fault, 1)
    api.fault = None
    listing.refresh()
    assert listing.queues is None, "it is asked again later"
    listing.retry()
    listing.refresh()
    assert listing.queues is not None and listing.fault is None


def test_delayed_delivery(listing_of: Callable[..., QueueListing]) -> None:
    api = Api(
        row("celery"),
        row("celery_delayed_0", 0, messages=2),
        row("celery_delayed_3", 4),
        row("eu_celery_delayed_3", 1),
        row("celery_delayed_4"),
    )
    api.bindings = [{"routing_key": "#.celery"}]
    listing = listing_of(api)
    assert listing.delayed is None and listing.is_pending
    listing.refresh()
    levels = (DelayLevel(0, 2, undeliverable=2), DelayLevel(3, 5))
    assert listing.delayed == Delayed(levels, listing.at, ("#.celery",) * 2)
    asked = [path.partition("?")[0] for path in api.paths if path.startswith("exchanges/")]
    assert asked == [
        "exchanges/a%2Fb/celery_delayed_delivery/bindings/source",
        "exchanges/a%2Fb/eu_celery_delayed_delivery/bindings/source",
    ]
    listing.refresh()
    assert listing.delayed == Delayed(levels, listing.at, ("#.celery",) * 2)
    assert sum(path.startswith("exchanges/") for path in api.paths) == 2


def test_bindings_are_not_asked_for_when_frugal(listing_of: Callable[..., QueueListing]) -> None:
    api = Api(row("celery_delayed_3", 4))
    listing = listing_of(api, bindings=False)
    listing.refresh()
    assert listing.delayed == Delayed((DelayLevel(3, 4),), listing.at)


def test_a_slow_api_delays_nothing(listing_of: Callable[..., QueueListing]) -> None:
    api, going_on = Api(row("q")), threading.Event()
    reply = api.get
    api.get = lambda path: reply(path) if going_on.wait(20) else None  # type: ignore[method-assign]
    listing = listing_of(api)
    listing.refresh(timeout=0.01)
    assert listing.is_pending
    going_on.set()
    listing.refresh()
    assert listing.queues is not None and not listing.is_pending
