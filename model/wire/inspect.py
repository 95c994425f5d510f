"""Decodes parts of the workers' inspect replies to typed values."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..entities.worker import UNLIMITED, Limits, Rusage, WorkerQueue
from ..text.coerce import MAX_NAME_LENGTH, to_float, to_int, to_text
from ..text.parse import reported_rate


def parse_registration(text: str) -> tuple[str, Limits]:
    """Parse a line of `inspect registered`: `shop.bill [rate_limit=10/m time_limit=60]`."""
    name, bracket, options = text.rpartition(" [")
    if not bracket or not options.endswith("]"):
        return sys.intern(text), UNLIMITED
    pairs = [pair.partition("=") for pair in options[:-1].split(" ")]
    known = {key: value for key, sign, value in pairs if sign}
    if len(known) != len(pairs):
        return sys.intern(text), UNLIMITED
    limits = Limits(
        reported_rate(known.get("rate_limit", "")),
        to_float(known.get("soft_time_limit")),
        to_float(known.get("time_limit")),
    )
    return sys.intern(name), limits


def pool_name(implementation: str) -> str:
    """Return `prefork` for `celery.concurrency.prefork:TaskPool`; others by their class."""
    module, _, class_name = implementation.partition(":")
    if module.startswith("celery.concurrency."):
        short = module.rpartition(".")[2]
        return {"thread": "threads"}.get(short, short)
    return class_name or implementation


def parse_rusage(reply: Mapping[str, Any]) -> Rusage:
    """Return `rusage` of `inspect stats`; Linux reports `maxrss` in KiB."""
    return Rusage(
        user_s=to_float(reply.get("utime")) or 0.0,
        system_s=to_float(reply.get("stime")) or 0.0,
        rss_bytes=(to_int(reply.get("maxrss")) or 0) * 1024,
        page_faults=to_int(reply.get("majflt")) or 0,
        voluntary_switches=to_int(reply.get("nvcsw")) or 0,
        involuntary_switches=to_int(reply.get("nivcsw")) or 0,
    )


def parse_queue(item: Mapping[str, Any]) -> WorkerQueue:
    """Return an item of `inspect active_queues`, which must have a name."""
    exchange = item.get("exchange")
    described: Mapping[str, Any] = exchange if isinstance(exchange, Mapping) else {}
    return WorkerQueue(
        sys.intern(to_text(item["name"], MAX_NAME_LENGTH) or ""),
        to_text(described.get("name"), MAX_NAME_LENGTH),
        to_text(described.get("type"), MAX_NAME_LENGTH),
        to_text(item.get("routing_key"), MAX_NAME_LENGTH),
    )
