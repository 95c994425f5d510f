"""Messages that wait for their time on RabbitMQ: Celery's native delayed delivery.

For a countdown on a quorum queue, Celery (5.5 or later) publishes to `celery_delayed_27` with a
routing key of 28 bits in front of the task's own: the countdown in whole seconds. The message
passes the level of each bit that is set, the highest first. A level N is the queue
`celery_delayed_N`, whose messages expire after 2^N s and then go on to the next level; after level
0 they go to the exchange `celery_delayed_delivery`, which the task queues are bound to (see
`kombu/transport/native_delayed_delivery.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf
from typing import Final, NamedTuple

import msgspec

from ...text import units
from ...text.topics import topic_matches

LEVELS: Final = 28
"""Levels, and bits in front of a routing key."""
DELIVERY_EXCHANGE: Final = "celery_delayed_delivery"
"""The exchange after the last level, without the prefix that kombu 5.7 allows."""
MAX_TIMES: Final = 4
"""Due times that are named one by one; more are counted by `PERIODS`."""
PERIODS: Final = (60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0)
"""Upper limits of the periods of a histogram of due times, in seconds from now."""
_LEVEL_NAME: Final = re.compile(r"(?:.+_)?celery_delayed_(\d{1,2})")
_BITS: Final = re.compile(rf"((?:[01]\.){{{LEVELS}}})(.+)")


def level_of(queue: str) -> int | None:
    """Return the level of a queue by its name; None if it is not one of a level."""
    found = _LEVEL_NAME.fullmatch(queue)
    level = int(found[1]) if found else LEVELS
    return level if level < LEVELS else None


def level_name(level: int) -> str:
    """Return the name of a level's queue, without a prefix."""
    return f"celery_delayed_{level}"


def delivery_exchange(queue: str, level: int) -> str:
    """Return the delivery exchange that belongs to the queue of a level: with its prefix."""
    return queue.removesuffix(level_name(level)) + DELIVERY_EXCHANGE


class Route(NamedTuple):
    """The content of the routing key of a delayed message."""

    countdown: int
    """Seconds."""
    routing_key: str
    """The task's own routing key."""


def delayed_route(routing_key: str | None) -> Route | None:
    """Return the parts of a delayed message's routing key; None if the message is not delayed."""
    # Every task-sent event has a routing key: the second character distinguishes most of them.
    if routing_key is None or routing_key[1:2] != ".":
        return None
    found = _BITS.fullmatch(routing_key)
    if found is None:
        return None
    return Route(int(found[1].replace(".", ""), 2), found[2])


class DelayLevel(msgspec.Struct, frozen=True, gc=False):
    """The messages in one level."""

    level: int
    messages: int
    undeliverable: int = 0
    """Those of them whose time in the level is over, but which the broker cannot pass on; 0 also if
    that is unknown."""


class Due(NamedTuple):
    """Messages that will be delivered at one time, or at an unknown time of a range."""

    earliest: float
    """Epoch seconds; may be in the past."""
    latest: float
    messages: int
    queue: str = ""
    """The queue that they are for; empty if unknown."""
    undeliverable: bool = False
    """Whether their time is over, but the broker cannot deliver them; both times are then when that
    was measured."""

    @property
    def is_exact(self) -> bool:
        """Whether the time is known."""
        return self.earliest == self.latest


class Arrivals(NamedTuple):
    """Messages that arrived in a level between two counts."""

    level: int
    after: float
    by: float
    messages: int
    replaced: tuple[float, float] | None = None
    """When others may have arrived in their place; None if they certainly have not left yet."""

    @property
    def due(self) -> Due:
        """When they are due: after their time in the level, and at most that in all lower ones."""
        stay = 1 << self.level
        by = self.by if self.replaced is None else self.replaced[1]
        return Due(self.after + stay, by + 2 * stay - 1, self.messages)


class Known(NamedTuple):
    """A delayed message that a `task-sent` event reported."""

    due: float
    """When it is delivered, epoch seconds by the local clock."""
    sent_at: float
    """When the event was received, which is soon after the message was sent."""
    queue: str
    routing_key: str
    id: str


class Delayed(msgspec.Struct, frozen=True, gc=False):
    """The messages of delayed delivery, as the broker last counted them."""

    levels: tuple[DelayLevel, ...] = ()
    """The levels with messages, the lowest first."""
    measured_at: float | None = None
    """When they were counted, epoch seconds; None if there is no delayed delivery."""
    bindings: tuple[str, ...] | None = None
    """The routing keys that the delivery exchanges pass messages on with; None if unknown."""

    def is_bound(self, routing_key: str) -> bool | None:
        """Return whether a task with this routing key will be delivered; None if unknown."""
        if self.bindings is None:
            return None
        return any(topic_matches(pattern, routing_key) for pattern in self.bindings)

    @property
    def messages(self) -> int:
        """All messages that wait for their time."""
        return sum(level.messages for level in self.levels)

    @property
    def undeliverable(self) -> int:
        """Messages that the broker cannot pass on."""
        return sum(level.undeliverable for level in self.levels)


def due_times(
    delayed: Delayed, known: Iterable[Known], arrivals: Iterable[Arrivals], now: float
) -> list[Due]:
    """Return when the messages are due, the earliest first.

    They are as many as the broker counted, and those sent since. Messages that no event reported
    are due at an unknown time of a range, which follows from their arrival in their level.
    """
    measured_at = delayed.measured_at or now
    total = delayed.messages - delayed.undeliverable
    ahead = sorted(one for one in known if one.due > now)
    newer = [one for one in ahead if one.sent_at > measured_at]
    counted = [one for one in ahead if one.sent_at <= measured_at][:total]
    found = [Due(one.due, one.due, 1, one.queue) for one in (*counted, *newer)]
    found += _others([one.due for one in arrivals], counted)
    if delayed.undeliverable:
        found.append(Due(measured_at, measured_at, delayed.undeliverable, undeliverable=True))
    return sorted(found, key=lambda due: (due.latest, due.earliest))


def _others(ranges: list[Due], known: Iterable[Known]) -> list[Due]:
    """Return the messages in ranges of due times that are none of the known ones.

    Each known one is taken out of the range that it fits best.
    """
    messages = [one.messages for one in ranges]
    for one in known:
        left = (number for number, count in enumerate(messages) if count)
        best = min(left, key=lambda number: _distance(ranges[number], one.due), default=None)
        if best is not None:
            messages[best] -= 1
    pairs = zip(ranges, messages, strict=True)
    return [one._replace(messages=count) for one, count in pairs if count]


def _distance(range_: Due, due: float) -> tuple[float, float]:
    """Return the seconds by which a time is outside of a range, and the length of the range."""
    outside = max(0.0, range_.earliest - due, due - range_.latest)
    return outside, range_.latest - range_.earliest


def times_text(due: Sequence[Due], now: float) -> str:
    """Return when messages are due: `in 20 s, 3 in 45 s to 2 m, 1 overdue`, or a histogram.

    A histogram counts each message in the first of its periods: `5 within 1 m, 2 within 1 h`.
    """
    times: Counter[tuple[int, int]] = Counter()
    for one in due:
        if not one.undeliverable:
            left = max(1, round(one.latest - now))
            times[left if one.is_exact else round(one.earliest - now), left] += one.messages
    overdue = sum(one.messages for one in due if one.undeliverable)
    parts = _each(times) if len(times) <= MAX_TIMES else _by_period(times)
    return ", ".join([*parts, *([f"{units.count(overdue)} overdue"] if overdue else [])])


def _each(times: Counter[tuple[int, int]]) -> list[str]:
    parts = []
    for (earliest, latest), messages in sorted(times.items(), key=lambda item: item[0][::-1]):
        text, exact = units.duration(latest), earliest == latest
        if exact:
            text = f"in {text}"
        else:
            text = f"in {units.duration(earliest)} to {text}" if earliest > 0 else f"within {text}"
        parts.append(text if exact and messages == 1 else f"{units.count(messages)} {text}")
    return parts


def _by_period(times: Counter[tuple[int, int]]) -> list[str]:
    periods: Counter[float] = Counter()
    for (_, left), messages in times.items():
        periods[next((period for period in PERIODS if left <= period), inf)] += messages
    return [
        f"{units.count(messages)} {'later' if period == inf else f'within {_short(period)}'}"
        for period, messages in sorted(periods.items())
    ]


def _short(period: float) -> str:
    """Return a period in its largest unit: `1 m`."""
    return units.duration(period).removesuffix(" 0 s").removesuffix(" 0 m").removesuffix(" 0 h")
