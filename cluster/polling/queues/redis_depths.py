"""Reads the depths of queues on Redis, in as few commands as possible."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ....model.entities.cluster.other_cluster import OtherCluster
from ....model.entities.fault import Fault
from ....model.entities.queue import DEFAULT_QUEUE, is_internal
from ....model.observations import QueueGone, QueueMeasured, UnackedRead
from ...connection.broker import BrokerConnection
from ...connection.redis.keys import QueueKeys
from ...connection.redis.lists import ReadList, read_lists
from .other_clusters import OtherClusterSearch
from .redis_bindings import LARGE_SCAN_COUNT, MAX_BINDINGS_AGE, RedisBindings, text_of
from .redis_heads import MAX_SEARCHED, UNREAD, ListHead, RedisHeads, list_head
from .redis_unacked import RedisUnacked

if TYPE_CHECKING:
    from kombu.connection import Connection

NO_COUNT_PER_QUEUE: Final = "; Redis has no count per queue"
NOT_COUNTED: Final = (
    "not counted: Redis refuses scripts (EVAL), and one by one, the lists of all queues take more "
    "commands than one celtop command may send. Name the important queues with --queues"
)
SCRIPT_BYTES: Final = 1 << 20
"""Approximate size of the messages that one script returns."""
Sizes: TypeAlias = dict[str, int | str]
"""The size of each key that is not empty; a text is the reason why it is unknown."""


class RedisDepths:
    """One list for each queue and priority step; queues without consumers are found too.

    Empty lists do not exist in Redis, so one EXISTS over all keys shows that a cluster is idle;
    only lists that were not empty before are counted one by one. A session with a budget of
    commands counts all of them with a script.
    """

    def __init__(
        self,
        connection: Connection,
        broker: BrokerConnection,
        exchanges: set[str],
        found: Collection[str] = (),
    ) -> None:
        from redis import Redis

        channel = connection.default_channel
        self._redis = Redis(connection_pool=channel.pool)
        self._keys = QueueKeys(channel, broker.key_prefix)
        self.bindings = RedisBindings(
            self._redis, self._keys, broker.settings.event_exchange, exchanges, broker.meter
        )
        self._unacked = RedisUnacked(self._redis, self._keys, self.bindings.queue_of)
        self._reads_unacked = not broker.settings.frugal
        self._first = broker.settings.queues
        self._tags: Any = None
        self._may_be_held = True  # what an earlier connection found is still shown
        self._others = OtherClusterSearch(self._redis, channel, broker.settings.event_exchange)
        self._filled: set[str] = set()
        self._other_steps_at = float("-inf")
        self._other_steps_checked: set[str] = set()
        self._measured: frozenset[str] = frozenset()
        self._found_before = frozenset(found)
        self._meter = broker.meter
        self._may_run_scripts = True
        self._list_heads = RedisHeads(self._redis, broker.meter)
        self.latency: float | None = None

    @property
    def fault(self) -> Fault | None:
        """Why queues may be missing; None if all are found."""
        return self.bindings.fault

    @property
    def found(self) -> frozenset[str]:
        """The queues that exist, or existed when all queues were last known."""
        return self._measured | self._found_before

    def measure(self, names: frozenset[str]) -> Iterator[QueueMeasured | QueueGone | UnackedRead]:
        """Yield the depth of each named or discovered queue, and `QueueGone` for deleted ones.

        Queues with messages come first: if there are too many, empty ones are left out. The
        unacknowledged messages come last, if there are or may have been any.
        """
        if time.monotonic() - self._other_steps_at > MAX_BINDINGS_AGE:
            self._other_steps_at = time.monotonic()
            self._other_steps_checked.clear()
        counts, heads = (self._meter.is_limited and self._by_script(names)) or self._counted(names)
        held = self._read_unacked(counts)
        known = self._known(names)
        guessed = self._queues(names) - known
        at = time.time()
        measured = [self._depth(name, counts, heads, len(known), at) for name in known]
        if guessed:
            # Whether these exist shows only in their messages: an empty list does not exist.
            found = [self._depth(name, counts, heads, len(known) + 1, at) for name in guessed]
            measured += [one for one in found if one.waiting or not (known or one.waiting is None)]
        yield from sorted(measured, key=lambda one: (not one.waiting, one.name))
        queues = frozenset(one.name for one in measured)
        if self.fault is None:
            self._measured |= self._found_before
            self._found_before = frozenset()
        for name in sorted(self._measured - queues):
            yield QueueGone(name, at)
        self._measured = queues
        if held is not None and (held.messages or self._may_be_held):
            self._may_be_held = bool(held.messages)
            yield held

    def other_clusters(self, wanted: Callable[[], bool]) -> list[OtherCluster]:
        """Look for other clusters on this server while `wanted`; takes some seconds."""
        return self._others.run(self.bindings.key_prefixes, wanted)

    def _read_unacked(self, counts: Sizes) -> UnackedRead | None:
        """Read the unacknowledged messages; None if that is not allowed."""
        total = counts.get(self._keys.unacked, 0)
        if not self._reads_unacked or isinstance(total, str):
            return None
        return self._unacked.read(total, self._tags, time.time())

    def _known(self, names: frozenset[str]) -> frozenset[str]:
        found = names | self.bindings.queues
        return frozenset(name for name in found if not is_internal(name))

    def _queues(self, names: frozenset[str]) -> frozenset[str]:
        return self._known(names) | self.bindings.possible | {DEFAULT_QUEUE}

    def _by_script(self, names: frozenset[str]) -> tuple[Sizes, dict[str, ListHead]] | None:
        """Return the size of each key and the next messages; None if scripts are refused."""
        if not self._may_run_scripts:
            return None
        pipe = self._redis.pipeline(transaction=False)
        if self.bindings.ask(pipe):
            self.bindings.scanned(*pipe.execute(raise_on_error=False))
        self.bindings.read()
        steps = (*self._keys.steps, *self._keys.other_steps)
        queues = sorted(self._queues(names), key=lambda queue: (queue not in names, queue))
        keys = [self._keys.list_of(queue, step) for queue in queues for step in steps]
        keys.append(self._keys.unacked)
        started = time.perf_counter()
        lists = read_lists(self._redis, keys, MAX_SEARCHED, SCRIPT_BYTES)
        self.latency = time.perf_counter() - started
        if lists is None:
            self._may_run_scripts = False
            return None
        counts: Sizes = {key: one.size for key, one in lists.items()}
        self._tags = None
        if self._keys.unacked in counts:  # it is no list, which shows that it is there
            counts |= self._sizes_of([self._keys.unacked])
        return counts, {key: _head_of(one) for key, one in lists.items()}

    def _counted(self, names: frozenset[str]) -> tuple[Sizes, dict[str, ListHead]]:
        """Return the size of each key, and the next messages of the longest lists."""
        counts = self._count(names)
        if self.bindings.read():
            counts = self._count(names)
        return counts, self._heads(counts)

    def _count(self, names: frozenset[str]) -> Sizes:
        """Return the size of each key; missing keys are empty.

        A text in place of a number is the reason why it is unknown.
        """
        queues = self._queues(names)
        keys = {self._keys.list_of(queue, step) for queue in queues for step in self._keys.steps}
        keys |= self._other_keys(queues)
        keys.add(self._keys.unacked)
        filled = sorted(self._filled & keys)
        # If there are more than may be counted, queues with consumers and named ones come first.
        ranks = {queue: rank for rank, queue in enumerate(self._first)}
        first = {self._keys.list_of(one, 0): ranks.get(one, len(ranks)) for one in names}
        others = sorted(
            keys - self._filled,
            key=lambda key: (key != self._keys.unacked, first.get(key, math.inf), key),
        )
        pipe = self._redis.pipeline(transaction=False)
        scans = self.bindings.ask(pipe)
        if others:
            pipe.exists(*others)
        self._tags = None
        self._ask_sizes(pipe, filled)
        started = time.perf_counter()
        replies = pipe.execute(raise_on_error=False)
        self.latency = time.perf_counter() - started
        scanned = replies.pop(0) if scans else None
        exist = replies.pop(0) if others else 0
        counts = dict(self._sizes(filled, replies))
        # Few queues use several priorities, and fewer use steps that are not configured: their
        # lists are asked only if there are more keys.
        left = exist if isinstance(exist, int) else len(others)
        default = {self._keys.unacked, *(self._keys.list_of(queue, 0) for queue in queues)}
        steps = {self._keys.list_of(queue, step) for queue in queues for step in self._keys.steps}
        for asked in (
            [key for key in others if key in default],
            [key for key in others if key in steps - default],
            [key for key in others if key not in steps | default],
        ):
            missing = left - sum(1 for key in others if counts.get(key))
            if missing > 0 and self._meter.is_limited:
                counts |= self._sizes_within_budget(others, missing)
                break
            if asked and missing > 0:
                counts |= self._sizes_of(self._narrowed(asked, missing))
        self._filled = {key for key, count in counts.items() if count}
        if scans:
            self.bindings.scanned(scanned)
        return counts

    def _sizes_within_budget(self, keys: list[str], existing: int) -> Sizes:
        """Return the sizes of those that exist, the first ones first, for few commands."""
        from redis.exceptions import ResponseError

        try:
            cursor, found = self._redis.scan(0, count=LARGE_SCAN_COUNT, _type="list")
            lists = {text_of(key) for key in found} | {self._keys.unacked}
        except ResponseError:  # before Redis 6.0, or SCAN is not allowed
            cursor, lists = 1, set()
        if not cursor:
            keys = [key for key in keys if key in lists]
        # One more reads the unacknowledged messages.
        most = int(max(0, min(len(keys), self._meter.spare - 1)))
        counts = self._sizes_of(keys[:most])
        if sum(map(bool, counts.values())) < existing:
            counts |= dict.fromkeys(keys[most:], NOT_COUNTED)
        return counts

    def _narrowed(self, keys: list[str], existing: int) -> list[str]:
        """Return the keys of the groups with any of the existing ones, for fewer commands."""
        size = math.isqrt(len(keys) // existing)
        if size < 2:
            return keys
        groups = [keys[first : first + size] for first in range(0, len(keys), size)]
        pipe = self._redis.pipeline(transaction=False)
        for group in groups:
            pipe.exists(*group)
        found = pipe.execute(raise_on_error=False)
        return [key for group, number in zip(groups, found, strict=True) if number for key in group]

    def _other_keys(self, queues: frozenset[str]) -> set[str]:
        """Return the lists of steps that are not configured: those with messages, or unchecked."""
        unchecked = queues - self._other_steps_checked
        self._other_steps_checked |= unchecked
        steps = self._keys.other_steps
        keys = {self._keys.list_of(queue, step) for queue in queues for step in steps}
        new = {self._keys.list_of(queue, step) for queue in unchecked for step in steps}
        return new | (keys & self._filled)

    def _sizes_of(self, keys: Sequence[str]) -> Sizes:
        pipe = self._redis.pipeline(transaction=False)
        self._ask_sizes(pipe, keys)
        return dict(self._sizes(keys, pipe.execute(raise_on_error=False)))

    def _ask_sizes(self, pipe: Any, keys: Sequence[str]) -> None:
        for key in keys:
            pipe.hlen(key) if key == self._keys.unacked else pipe.llen(key)
        if self._reads_unacked and self._keys.unacked in keys:
            self._unacked.ask(pipe)

    def _sizes(self, keys: Sequence[str], replies: list[Any]) -> Iterable[tuple[str, int | str]]:
        """Return the replies to `_ask_sizes`."""
        if len(replies) > len(keys):
            self._tags = replies.pop()
        return zip(keys, map(_number, replies), strict=True)

    def _heads(self, counts: Sizes) -> dict[str, ListHead]:
        """Return the next messages of the longest lists, by key."""
        return self._list_heads.read(
            {
                key: size
                for key, size in counts.items()
                if isinstance(size, int) and size and key != self._keys.unacked
            }
        )

    def _depth(
        self,
        name: str,
        counts: Sizes,
        heads: dict[str, ListHead],
        queues: int,
        at: float,
    ) -> QueueMeasured:
        keys = {self._keys.list_of(name, step): step for step in self._keys.steps}
        other_keys = {self._keys.list_of(name, step): step for step in self._keys.other_steps}
        keys |= {
            key: step
            for key, step in other_keys.items()
            if isinstance(size := counts.get(key), int) and size
        }
        sizes = [(step, counts.get(key, 0)) for key, step in keys.items()]
        notes = [size for _, size in sizes if isinstance(size, str)][:1]
        by_priority = tuple((str(step), size) for step, size in sizes if isinstance(size, int))
        if others := [str(step) for step in self._keys.other_steps if step in keys.values()]:
            notes.append(f"priority {', '.join(others)} used, but not in priority_steps")
        unacked: int | None = None
        at_least: int | None = None
        total = counts.get(self._keys.unacked, 0)
        split = self._unacked
        if isinstance(total, str):
            notes.append(total)
        elif total and split.complete:
            unacked = split.by_queue.get(name, 0)
        elif total == 0 or queues == 1:
            unacked = total
        else:
            at_least = split.by_queue.get(name)
            read = f"; {sum(split.by_queue.values()):,} were read" if split.by_queue else ""
            notes.append(
                f"{total:,} unacknowledged in all queues together{read or NO_COUNT_PER_QUEUE}"
            )
        filled = [heads.get(key, UNREAD) for key in keys if counts.get(key)]
        return QueueMeasured(
            name,
            at,
            waiting=None if len(by_priority) < len(sizes) else sum(n for _, n in by_priority),
            unacked=unacked,
            unacked_at_least=at_least,
            by_priority=by_priority,
            heads=tuple(head.next for head in filled),
            runnable=tuple(head.runnable for head in filled if head.runnable is not None),
            due_at=min((head.due_at for head in filled if head.due_at is not None), default=None),
            notes=tuple(dict.fromkeys(notes)),
        )


def _head_of(one: ReadList) -> ListHead:
    return list_head(one.messages, complete=len(one.messages) == one.size, at=time.time())


def _number(reply: Any) -> int | str:
    if isinstance(reply, Exception):
        return f"cannot count messages: {' '.join(str(reply).split())}"
    return int(reply)
