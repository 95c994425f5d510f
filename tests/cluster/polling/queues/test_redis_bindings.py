"""Queues found by their bindings, and the reasons why some may be missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.polling.queues.redis_bindings import separator_of
from celtop.cluster.polling.queues.redis_depths import RedisDepths
from celtop.model.observations import QueueMeasured
from celtop.settings import Settings
from celtop.tests.servers import RedisServer

Send = Callable[..., str]


def measure(url: str, *names: str, **settings: Any) -> tuple[RedisDepths, dict[str, int | None]]:
    broker = BrokerConnection(Settings(broker_url=url, **settings))
    depths = RedisDepths(broker.connect(), broker, set())
    found = depths.measure(frozenset(names))
    return depths, {one.name: one.waiting for one in found if isinstance(one, QueueMeasured)}


@pytest.fixture
def orphaned(redis_server: RedisServer, send: Send) -> str:
    """A database with messages in the queue `orphan`, which no worker consumes."""
    url = redis_server.next_url()
    for _ in range(3):
        send(url, "plain.ok", queue="orphan")
    return url


@pytest.mark.parametrize(
    ("rules", "command", "found"),
    [
        (["+@all", "-scan"], "SCAN", {}),
        # By Celery's default, an exchange has the name of its queue.
        (["+@all", "-smembers"], "SMEMBERS", {"orphan": 3}),
    ],
)
def test_a_refused_command_is_the_reason_why_queues_may_be_missing(
    redis_server: RedisServer, orphaned: str, rules: list[str], command: str, found: dict[str, int]
) -> None:
    redis_server.client().acl_setuser(
        "limited", enabled=True, passwords=["+pw"], commands=rules, keys=["*"], channels=["*"]
    )
    url = orphaned.replace("//", "//limited:pw@")
    depths, measured = measure(url, "known")
    assert measured == {"known": 0, **found}
    fault = depths.fault
    assert fault is not None and f"Redis refuses {command}" in fault.problem
    assert "no permissions" in fault.problem and f"+{command.lower()}" in fault.advice
    assert "--queues" in fault.advice


def test_a_renamed_command_needs_no_permission(tmp_path: Path, send: Send) -> None:
    server = RedisServer(tmp_path, "--rename-command", "SCAN", "").start()
    try:
        send(server.url(), "plain.ok", queue="orphan")
        depths, measured = measure(server.url(), "orphan")
    finally:
        server.kill()
    assert measured == {"orphan": 1}
    assert depths.fault is not None
    assert "Redis refuses SCAN (unknown command 'SCAN')" in depths.fault.problem
    assert "Grant" not in depths.fault.advice


def test_keys_outside_a_pattern_are_named(redis_server: RedisServer, orphaned: str) -> None:
    redis_server.client().acl_setuser(
        "narrow", enabled=True, passwords=["+pw"], commands=["+@all"], keys=["known*", "unacked*"],
        channels=["*"],
    )  # fmt: skip
    depths, measured = measure(orphaned.replace("//", "//narrow:pw@"), "known")
    assert measured == {"known": 0}
    fault = depths.fault
    assert fault is not None and "SMEMBERS" in fault.problem
    assert "_kombu.binding.orphan" in fault.problem


def test_all_queues_are_found_with_all_permissions(orphaned: str) -> None:
    depths, measured = measure(orphaned)
    assert measured == {"orphan": 3}
    assert depths.fault is None


def test_the_default_queue_is_counted_without_a_binding(
    redis_server: RedisServer, redis_url: str
) -> None:
    client = redis_server.client(int(redis_url.rsplit("/", 1)[1]))
    assert measure(redis_url)[1] == {"celery": 0}
    assert measure(redis_url, "mail")[1] == {"mail": 0}
    client.lpush("celery", "x", "y")
    assert measure(redis_url)[1] == {"celery": 2}
    assert measure(redis_url, "mail")[1] == {"celery": 2, "mail": 0}


def test_another_separator_is_recognised(redis_url: str, send: Send) -> None:
    options = {"broker_transport_options": {"sep": "|", "priority_steps": [0, 5]}}
    send(redis_url, "plain.ok", queue="geo", conf=options)
    depths, measured = measure(redis_url)
    assert "geo||geo" not in measured
    fault = depths.fault
    assert fault is not None and 'sep = "|"' in fault.advice
    depths, measured = measure(redis_url, **options)
    assert (measured, depths.fault) == ({"geo": 1}, None)


@pytest.mark.parametrize(
    ("binding", "separator"),
    [
        ("celery##celery", "#"),
        ("a\x06\x16\x06\x16a", "\x06\x16"),
        ("aa::aa", ":"),
        ("key##queue", ""),
        ("celery", ""),
        ("", ""),
        ("abab", ""),
    ],
)
def test_the_separator_of_a_binding(binding: str, separator: str) -> None:
    assert separator_of(binding) == separator
