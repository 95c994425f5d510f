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

from ..text import units

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
    """What the routing key of a delayed message contains."""

    countdown: int
    """Seconds."""
    routing_key: str
    """The task's own routing key."""


def delayed_route(routing_key: str | None) -> Route | None:
    """Return the parts of a delayed message's routing key; None if the message is not delayed."""
    # Every task-sent event has a routing key: the second character tells most of them apart.
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

    @property
    def longest(self) -> int:
        """Seconds after which its messages are due at the latest: with the time in lower levels."""
        return (2 << self.level) - 1


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
        words = routing_key.split(".")
        return any(_matches(pattern.split("."), words) for pattern in self.bindings)

    @property
    def messages(self) -> int:
        """All messages that wait for their time."""
        return sum(level.messages for level in self.levels)

    @property
    def undeliverable(self) -> int:
        """Messages that the broker cannot pass on."""
        return sum(level.undeliverable for level in self.levels)


def due_times(delayed: Delayed, known: Iterable[Known], now: float) -> list[Due]:
    """Return when the messages are due, the earliest first.

    They are as many as the broker counted, and those sent since. Messages that no event reported
    are due at an unknown time, within the longest time of their level.
    """
    measured_at = delayed.measured_at or now
    unknown = {level.level: level.messages - level.undeliverable for level in delayed.levels}
    ahead = sorted(one for one in known if one.due > now)
    newer = [one for one in ahead if one.sent_at > measured_at]
    counted = [one for one in ahead if one.sent_at <= measured_at][: sum(unknown.values())]
    found = [Due(one.due, one.due, 1, one.queue) for one in (*counted, *newer)]
    if delayed.undeliverable:
        found.append(Due(measured_at, measured_at, delayed.undeliverable, undeliverable=True))
    levels = Counter(_level_at(one, measured_at) for one in counted)
    for number, messages in sorted(levels.items()):
        _take(unknown, number, messages)
    for level in delayed.levels:
        if unknown[level.level]:
            latest = measured_at + level.longest
            found.append(Due(measured_at, latest, unknown[level.level]))
    return sorted(found, key=lambda due: (due.latest, due.earliest))


def times_text(due: Sequence[Due], now: float) -> str:
    """Return when messages are due: `in 20 s, in 45 s, 3 within 2 m, 1 overdue`, or a histogram.

    A histogram counts each message in the first of its periods: `5 within 1 m, 2 within 1 h`.
    """
    times: Counter[tuple[bool, int]] = Counter()
    for one in due:
        if not one.undeliverable:
            times[one.is_exact, max(1, round(one.latest - now))] += one.messages
    overdue = sum(one.messages for one in due if one.undeliverable)
    parts = _each(times) if len(times) <= MAX_TIMES else _by_period(times)
    return ", ".join([*parts, *([f"{units.count(overdue)} overdue"] if overdue else [])])


def _each(times: Counter[tuple[bool, int]]) -> list[str]:
    return [
        f"{f'{units.count(messages)} ' if messages > 1 or not exact else ''}"
        f"{'in' if exact else 'within'} {units.duration(left)}"
        for (exact, left), messages in sorted(times.items(), key=lambda item: item[0][1])
    ]


def _by_period(times: Counter[tuple[bool, int]]) -> list[str]:
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


def _matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether a topic exchange's binding key matches: `*` is a word, `#` any number."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_matches(pattern[1:], words[start:]) for start in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _matches(pattern[1:], words[1:])


def _level_at(known: Known, at: float) -> int:
    """Return the level that a message is in at a time."""
    left = round(known.due - known.sent_at)
    elapsed = at - known.sent_at
    for level in reversed(range(LEVELS)):
        if left >> level & 1:
            elapsed -= 1 << level
            if elapsed < 0:
                return level
    return 0


def _take(unknown: dict[int, int], level: int, messages: int) -> None:
    """Take messages out of a level, or of the nearest ones that have messages.

    A message may just have changed its level when it was counted.
    """
    for nearest in sorted(unknown, key=lambda one: abs(one - level)):
        taken = min(messages, unknown[nearest])
        unknown[nearest] -= taken
        messages -= taken
