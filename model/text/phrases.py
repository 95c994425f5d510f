"""Counts, plurals and lists of names in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

MAX_NAMED: Final = 3
"""Workers or queues that a sentence lists by name; the rest are counted."""

DEFAULT_NODE: Final = "celery"
"""The name of a worker before its host if it was given none."""
SHORT_ID_LENGTH: Final = 8
"""Characters of a UUID in a sentence."""
MAX_SHORT_ID: Final = 24
"""Characters of a task id in a sentence if it is no UUID."""


def short_worker(name: str, width: int, ellipsis: str) -> str:
    """Return a worker's name without its domain, and also without `celery@` if that is too wide.

    These are the parts that workers have in common. The result may be wider, too.

    Args:
        name: A name that is wider than `width`, such as `celery@web-1.example.org`.
        width: Characters.
        ellipsis: What takes the place of a part.
    """
    node, at, address = name.partition("@")
    host, dot, _ = address.partition(".")
    if not at or not host or host.isdecimal():  # an IP address has no domain
        return name
    host += ellipsis if dot else ""
    short = f"{node}{at}{host}"
    return f"{ellipsis}{host}" if len(short) > width and node == DEFAULT_NODE else short


def short_id(id_: str) -> str:
    """Return the beginning of a UUID, or another id as it is; of a long one both ends.

    Ids that an application makes often differ only at their end, such as `order-2026-1041`.
    """
    if len(id_) == 36 and id_.count("-") == 4:
        return id_[:SHORT_ID_LENGTH]
    if len(id_) <= MAX_SHORT_ID:
        return id_
    half = MAX_SHORT_ID // 2
    return f"{id_[: half - 1]}…{id_[-half:]}"


def counted(number: int, noun: str) -> str:
    """Return `1 task` or `1,204 tasks`."""
    if number == 1:
        return f"{number:,} {noun}"
    if noun.endswith("y") and noun[-2] not in "aeou":
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}{'es' if noun.endswith('s') else 's'}"


def verb(names: Sequence[str], one: str, many: str) -> str:
    """Return names with a verb that agrees: `a stops`, `a and b stop`."""
    return f"{named(names)} {one if len(names) == 1 else many}"


def named(names: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c` or `a, b, c and 7 more`; `none` if there are no names."""
    if not names:
        return "none"
    shown = list(names[:MAX_NAMED])
    if len(names) > MAX_NAMED:
        shown.append(f"{len(names) - MAX_NAMED:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def shortened(lines: Sequence[str], maximum: int) -> list[str]:
    """Return the first lines, followed by `and 7 more` if there are more."""
    more = len(lines) - maximum
    return [*lines[:maximum], f"and {more:,} more"] if more > 0 else list(lines)


def tallied(items: Iterable[str]) -> str:
    """Return each distinct item with its count, the most frequent first: `3 geo, 1 mail`."""
    found = Counter(items).most_common()
    shown = [f"{number:,} {item}" for item, number in found[:MAX_NAMED]]
    if len(found) > MAX_NAMED:
        shown.append(f"{sum(number for _, number in found[MAX_NAMED:]):,} other")
    return ", ".join(shown)
