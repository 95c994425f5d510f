from __future__ import annotations

import pytest
from celtop.model.entities.messages.delayed import (
    Arrivals,
    Delayed,
    DelayLevel,
    Due,
    Known,
    Route,
    delayed_route,
    delivery_exchange,
    due_times,
    level_of,
    times_text,
)
from celtop.model.entities.queue import is_internal

# Since kombu 5.5.
native = pytest.importorskip("kombu.transport.native_delayed_delivery")

NOW = 1_700_000_000.0


def test_the_levels_of_queues() -> None:
    names = ("celery_delayed_0", "eu_celery_delayed_27", "celery_delayed_28", "celery", "delayed_1")
    assert [level_of(name) for name in names] == [0, 27, None, None, None]
    assert is_internal("celery_delayed_5")
    assert delivery_exchange("eu_celery_delayed_3", 3) == "eu_celery_delayed_delivery"


@pytest.mark.parametrize("countdown", [1, 20, 45, 100, 86_400])
def test_the_countdown_in_a_routing_key(countdown: int) -> None:
    key = native.calculate_routing_key(countdown, "billing.high")
    assert delayed_route(key) == Route(countdown, "billing.high")


def test_other_routing_keys_are_not_delayed() -> None:
    assert [delayed_route(key) for key in (None, "", "billing", "1.2.3", "0.1.billing")] == [
        None
    ] * 5


def sent(countdown: int, at: float = NOW, queue: str = "billing") -> Known:
    return Known(at + countdown, at, queue, queue, str(countdown))


def arrived(level: int, messages: int = 1, by: float = NOW) -> Arrivals:
    """Return messages that were first counted in a level at a time."""
    return Arrivals(level, by - 5, by, messages)


def test_due_times_of_known_messages() -> None:
    levels = (DelayLevel(4, 1), DelayLevel(5, 1), DelayLevel(6, 1))
    arrivals = [arrived(level, by=NOW + 1) for level in (4, 5, 6)]
    known = [sent(20), sent(45), sent(100)]
    found = due_times(Delayed(levels, NOW + 1), known, arrivals, NOW + 2)
    assert [(one.latest - NOW, one.messages, one.queue) for one in found] == [
        (20, 1, "billing"),
        (45, 1, "billing"),
        (100, 1, "billing"),
    ]
    assert all(one.is_exact for one in found)


def test_others_are_due_in_a_range_that_follows_from_their_level() -> None:
    delayed = Delayed((DelayLevel(4, 2), DelayLevel(5, 1)), NOW)
    found = due_times(delayed, [sent(45)], [arrived(4, 2), arrived(5)], NOW)
    assert found == [Due(NOW + 11, NOW + 31, 2), Due(NOW + 45, NOW + 45, 1, "billing")]


def test_as_many_as_the_broker_counts() -> None:
    """A message that left its level a moment ago is still counted there."""
    delayed = Delayed((DelayLevel(6, 1),), NOW + 60)
    arrivals = [arrived(6)]
    assert due_times(delayed, [sent(100)], arrivals, NOW + 66) == [
        Due(NOW + 100, NOW + 100, 1, "billing")
    ]
    assert due_times(Delayed((), NOW), [sent(100)], [], NOW) == []
    assert len(due_times(delayed, [sent(90), sent(95)], arrivals, NOW)) == 1


def test_messages_sent_since_they_were_counted_are_added() -> None:
    delayed = Delayed((DelayLevel(5, 1),), NOW)
    found = due_times(delayed, [sent(20, NOW + 2)], [arrived(5)], NOW + 3)
    assert found == [Due(NOW + 22, NOW + 22, 1, "billing"), Due(NOW + 27, NOW + 63, 1)]


def test_due_times_as_text() -> None:
    exact = [Due(NOW + left, NOW + left, 1) for left in (20, 45, 100)]
    assert times_text(exact, NOW) == "in 20 s, in 45 s, in 1 m 40 s"
    assert times_text([*exact[:1], Due(NOW, NOW + 31, 2)], NOW) == "in 20 s, 2 within 31 s"
    assert times_text([Due(NOW, NOW + 63, 1)], NOW) == "1 within 1 m 3 s"
    assert times_text([Due(NOW + 27, NOW + 63, 1)], NOW) == "1 in 27 s to 1 m 3 s"
    many = [Due(NOW + left, NOW + left, 2) for left in (1, 59, 61, 3_000, 9e6)]
    assert times_text(many, NOW) == "4 within 1 m, 2 within 10 m, 2 within 1 h, 2 later"
    assert times_text([], NOW) == ""


def test_messages_that_cannot_be_delivered_are_overdue() -> None:
    delayed = Delayed((DelayLevel(3, 3, undeliverable=2),), NOW)
    found = due_times(delayed, [], [arrived(3)], NOW)
    assert times_text(found, NOW) == "1 in 3.0 s to 15 s, 2 overdue"
    assert sum(one.messages for one in found) == delayed.messages


def test_bindings_are_matched_as_by_a_topic_exchange() -> None:
    delayed = Delayed(bindings=("#.celery", "#.media.*"))
    keys = ("celery", "media.high", "media", "billing")
    assert [delayed.is_bound(key) for key in keys] == [True, True, False, False]
    assert Delayed().is_bound("celery") is None
