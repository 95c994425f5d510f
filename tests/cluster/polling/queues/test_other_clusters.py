"""Other clusters on the same Redis server, which other settings would show."""

from __future__ import annotations

import pytest
from celtop.cluster.polling.queues.other_clusters import Channel, parse_channel, remedy
from celtop.model.health.findings import findings
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import RedisServer

OWN = Channel("", "/0.", "celeryev", True)


@pytest.mark.parametrize(
    ("name", "channel", "step"),
    [
        ("/0.celeryev/worker.heartbeat", OWN, ""),
        ("/3.celeryev/worker.heartbeat", OWN._replace(fanout_prefix="/3."), "use database 3"),
        (
            "acme:/0.celeryev/worker.heartbeat",
            OWN._replace(key_prefix="acme:"),
            'set global_keyprefix = "acme:" in broker_transport_options',
        ),
        (
            "acme:/2.celeryev/worker.heartbeat",
            Channel("acme:", "/2.", "celeryev", True),
            "use database 2 in the broker URL and set global_keyprefix",
        ),
        (
            "celeryev/worker.heartbeat",
            OWN._replace(fanout_prefix=""),
            "set fanout_prefix = false in broker_transport_options",
        ),
        (
            "/x.celeryev/worker.heartbeat",
            OWN._replace(fanout_prefix="/x."),
            'set fanout_prefix = "/x."',
        ),
        (
            "known:/x.celeryev/worker.heartbeat",
            Channel("known:", "/x.", "celeryev", True),
            'global_keyprefix = "known:", fanout_prefix = "/x."',
        ),
        ("/0.celeryev", OWN._replace(patterns=False), "set fanout_patterns = false"),
        ("/0.ours/worker.heartbeat", OWN._replace(exchange="ours"), 'set event_exchange = "ours"'),
    ],
)
def test_what_to_change_for_a_channel(name: str, channel: Channel, step: str) -> None:
    assert parse_channel(name, "celeryev", {"", "known:"}) == channel
    assert step in remedy(OWN, channel)
    assert bool(step) == bool(remedy(OWN, channel))


def test_the_default_is_also_something_to_change_to() -> None:
    own = Channel("acme:", "", "celeryev", False)
    assert remedy(own, Channel("", "/0.", "celeryev", True)) == (
        "use database 0 in the broker URL and "
        'set global_keyprefix = "", fanout_prefix = true, fanout_patterns = true '
        "in broker_transport_options"
    )


def other_clusters(live: RunningSession) -> str | None:
    found = findings(live.state, 0.0)
    return next((str(one) for one in found if one.code == "other-clusters"), None)


def test_a_worker_with_other_options_is_noticed(
    own_redis: RedisServer,
    open_session: OpenSession,
    start_worker: StartWorker,
) -> None:
    options = {"global_keyprefix": "acme:"}
    start_worker(own_redis.url(), conf={"broker_transport_options": options})
    live = open_session(own_redis.url())
    live.until(lambda: live.state.other_clusters)
    text = other_clusters(live)
    assert text is not None and 'set global_keyprefix = "acme:"' in text and "w1@test" in text
    live = open_session(own_redis.url(), broker_transport_options=options)
    live.until(lambda: "w1@test" in live.state.workers)
    assert other_clusters(live) is None


def test_another_database_is_noticed_without_workers(
    own_redis: RedisServer, open_session: OpenSession
) -> None:
    own_redis.client(7).sadd("_kombu.binding.geo", "geo\x06\x16\x06\x16geo")
    live = open_session(own_redis.url())
    live.until(lambda: live.state.other_clusters)
    assert "use database 7" in (other_clusters(live) or "")
