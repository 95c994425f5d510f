"""Finds the queues of a Redis broker by their bindings.

kombu keeps one set for each exchange (`_kombu.binding.<exchange>`), with a member for each bound
queue: routing key, pattern and queue name, joined by the transport option `sep`. There is no list
of these sets, so a SCAN looks for them among all keys of the database.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ....model.entities.fault import Fault
from ....model.entities.queue import is_internal
from ...connection.metering import ConnectionMeter
from ...connection.redis.keys import Binding, QueueKeys, bound_queue, exactly

MAX_BINDINGS_AGE: Final = 60.0
"""Seconds after which a set of bindings is read again, and a refused command is tried again."""
SCAN_COUNT: Final = 1000
"""Keys that one SCAN examines: about half a millisecond of the server's time."""
FIRST_SCANS: Final = 100
"""SCANs in the first measurement of a connection; later measurements do one each."""
LARGE_SCAN_COUNT: Final = 20_000
"""Keys that one SCAN examines if there is a budget of commands."""
RESERVED_COMMANDS: Final = 3
"""Commands of a budget that no SCAN takes, for the depths of the queues that were found."""
SCAN_INTERVAL: Final = 5.0
"""Seconds between the end of a complete search and the next one."""
MAX_UNITED: Final = 500
"""Sets of bindings that are read with one command."""
MAX_TABLES: Final = 10_000
"""Sets of bindings that are read: an app may use an exchange for each reply."""
MAX_REASON_LENGTH: Final = 160
"""Characters of the reason why a command was refused."""
MAX_KEY_PREFIXES: Final = 8
"""Prefixes of other clusters that are remembered."""
OTHER_WAYS: Final = "Name the missing queues with --queues, or load the app with -A"
"""The advice if queues cannot be found."""


class RedisBindings:
    """The queues that are bound to any exchange; an exchange may be named by `exchanges` too."""

    def __init__(
        self,
        redis: Any,
        keys: QueueKeys,
        ignored: str,
        exchanges: set[str],
        meter: ConnectionMeter | None = None,
    ) -> None:
        self.queues: frozenset[str] = frozenset()
        """The names of all bound queues."""
        self.possible: frozenset[str] = frozenset()
        """Exchanges whose bindings are unreadable: by Celery's default a queue has this name."""
        self.key_prefixes: set[str] = set()
        """The key prefixes of other clusters in this database."""
        self.separator: str | None = None
        """What separates the parts of bindings if it is not the configured `sep`; empty if that
        cannot be determined."""
        self._redis = redis
        self._keys = keys
        self._infix = keys.bindings.removeprefix(keys.prefix)
        self._pattern = f"*{exactly(self._infix)}*"
        self._ignored = ignored
        self._exchanges = exchanges
        self._cursor = 0
        self._meter = meter or ConnectionMeter()
        self._scans = FIRST_SCANS
        self._scan_count = LARGE_SCAN_COUNT if self._meter.is_limited else SCAN_COUNT
        self._scanned_all = False
        self._scan_due = float("-inf")
        self._scan_error: str | None = None
        self._tables: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        """By queue: when it was last found in a set."""
        self._bound: dict[str, tuple[Binding, ...]] = {}
        """The sets that had to be read on their own."""
        self._refused: dict[str, str] = {}

    @property
    def fault(self) -> Fault | None:
        """Why queues may be missing; None if all are found."""
        if self.separator is not None:
            its = f" ({_quoted(self.separator)})" if self.separator else ""
            option = f"set sep = {_quoted(self.separator)}" if self.separator else "set sep"
            return Fault(
                "separator",
                f"there are bindings with another separator{its} than the configured one",
                f"Load the app with -A, or {option} in broker_transport_options, as the workers do",
            )
        if self._scan_error is not None:
            return _refusal("SCAN", self._scan_error, "+scan and +smembers")
        if self._refused:
            table, error = next(iter(self._refused.items()))
            more = f" and {len(self._refused) - 1:,} more" if len(self._refused) > 1 else ""
            keys = f"+smembers on {self._keys.bindings}*"
            return _refusal(f"SMEMBERS {table}{more}", error, keys)
        if len(self._tables) >= MAX_TABLES:
            return Fault(
                "discovery",
                f"only the bindings of {MAX_TABLES:,} exchanges are read",
                OTHER_WAYS,
            )
        if not self._scanned_all:
            return Fault(
                "discovery",
                "this large database is still being searched",
                OTHER_WAYS,
            )
        return None

    def ask(self, pipe: Any) -> bool:
        """Add a SCAN to a pipeline, if one is due; return whether it was added."""
        if time.monotonic() < self._scan_due:
            return False
        pipe.scan(self._cursor, match=self._pattern, count=self._scan_count)
        return True

    def search_again(self) -> None:
        """Search with the next measurement, however long ago the last search was."""
        self._scan_due = float("-inf")

    def scanned(self, reply: Any) -> None:
        """Apply the reply to SCAN, and continue it in the first measurement."""
        if isinstance(reply, Exception):
            self._scan_error = _words(reply)
            self._scan_due = time.monotonic() + MAX_BINDINGS_AGE
            return
        self._scan_error = None
        self._cursor, keys = reply
        self._scans -= 1
        while self._cursor and self._scans > 0 and self._meter.spare > RESERVED_COMMANDS:
            self._scans -= 1
            self._cursor, more = self._redis.scan(
                self._cursor, match=self._pattern, count=self._scan_count
            )
            keys += more
        if not self._cursor:
            self._scanned_all = True
            self._scan_due = time.monotonic() + SCAN_INTERVAL
        for key in map(text_of, keys):
            if key.startswith(self._keys.bindings):
                self._add(key)
            elif len(self.key_prefixes) < MAX_KEY_PREFIXES:
                self.key_prefixes.add(key.partition(self._infix)[0])

    def read(self) -> bool:
        """Read new and outdated bindings; return whether they name new queues."""
        for exchange in self._exchanges.copy():
            self._add(self._keys.bindings + exchange)
        now = time.monotonic()
        due = [table for table, read_at in self._tables.items() if now - read_at > MAX_BINDINGS_AGE]
        if not due:
            return False
        self._bound.clear()
        for first in range(0, len(due), MAX_UNITED):
            for one in self._bindings_of(self._members(due[first : first + MAX_UNITED])):
                self._seen[one.queue] = now
        self._tables.update(dict.fromkeys(due, now))
        # Each set was read since then.
        since = min(self._tables.values())
        self._seen = {queue: at for queue, at in self._seen.items() if at >= since}
        before = self.queues | self.possible
        self.queues = frozenset(self._seen)
        exchanges = (table.removeprefix(self._keys.bindings) for table in self._refused)
        self.possible = frozenset(exchanges) - self.queues
        return bool((self.queues | self.possible) - before)

    def queue_of(self, exchange: str, routing_key: str) -> str | None:
        """Return the queue that a message was routed to; None if that is unknown or ambiguous."""
        if not exchange:
            return routing_key or None
        table = self._keys.bindings + exchange
        if table not in self._bound:
            self._bound[table] = self._bindings_of(self._members([table]))
        return bound_queue(self._bound[table], routing_key)

    def _members(self, tables: Sequence[str]) -> set[Any]:
        """Return the members of all these sets, with one command if Redis allows it."""
        from redis.exceptions import ResponseError

        found: set[Any] = set()
        try:
            found = self._redis.sunion(tables) if len(tables) > 1 else self._redis.smembers(*tables)
        except ResponseError as error:
            if len(tables) > 1:
                # One refused set is reason enough to refuse the union.
                return found.union(*(self._members([table]) for table in tables))
            self._refused[tables[0]] = _words(error)
        else:
            for table in tables:
                self._refused.pop(table, None)
        return found

    def _add(self, table: str) -> None:
        exchange = table.removeprefix(self._keys.bindings)
        if exchange == self._ignored or is_internal(exchange) or len(self._tables) >= MAX_TABLES:
            return
        self._tables.setdefault(table, float("-inf"))

    def _bindings_of(self, members: set[Any]) -> tuple[Binding, ...]:
        bindings = []
        for member in map(text_of, members):
            if self._keys.separator in member:
                bindings.append(self._keys.binding(member))
            else:
                self.separator = self.separator or separator_of(member)
        return tuple(bindings)


def separator_of(binding: str) -> str:
    """Return the separator in a binding of an unknown one; empty if it cannot be determined.

    By Celery's default the routing key is the queue's name, and the pattern between them is empty:
    `name SEP SEP name`.
    """
    for length in range(len(binding) // 2, 0, -1):
        name, between = binding[:length], binding[length:-length]
        half = len(between) // 2
        if binding.endswith(name) and between and between[:half] == between[half:]:
            return between[:half]
    return ""


def text_of(value: bytes | str) -> str:
    """Return a reply's text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _refusal(command: str, error: str, permission: str) -> Fault:
    grant = f"Grant {permission}. " if "permission" in error else ""
    return Fault(
        "discovery",
        f"Redis refuses {command} ({error})",
        f"{grant}{OTHER_WAYS}",
    )


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _words(error: Exception) -> str:
    text = " ".join(str(error).partition(", with args")[0].split())
    return text[:MAX_REASON_LENGTH] or type(error).__name__
