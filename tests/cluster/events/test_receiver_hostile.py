"""Messages on the event exchange that are made to break or exhaust whoever reads them."""

from __future__ import annotations

import base64
import bz2
import json
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from celtop.tests.cluster.conftest import OpenSession
from kombu import Connection

DEEP = 3_000
BOMB_BYTES = 33 << 20
CODECS: dict[str, Callable[[bytes], bytes]] = {
    "application/x-gzip": zlib.compress,
    "application/x-bz2": bz2.compress,
    "application/x-lzma": lzma.compress,
}
GOOD = json.dumps(
    {"type": "worker-heartbeat", "hostname": "good@test", "timestamp": 1.0, "freq": 2.0}
).encode()


def envelope(body: bytes, headers: Mapping[str, Any]) -> str:
    """Return a message as kombu publishes it to Redis."""
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": headers,
            "properties": {"body_encoding": "base64"},
        }
    )


def test_hostile_messages_over_redis_are_counted(redis_url: str, open_session: OpenSession) -> None:
    import redis

    live = open_session(redis_url)
    live.until_live()
    deep = "[" * DEEP + "]" * DEEP
    hostile = [
        envelope(GOOD, {}).replace('"headers": {}', f'"headers": {{"a": {deep}}}'),
        envelope(GOOD, {}).replace('"headers": {}', f'"headers": {{}}, "more": {deep}'),
        envelope(deep.encode(), {}),
        deep,
        *(
            envelope(pack(b" " * BOMB_BYTES), {"compression": codec})
            for codec, pack in CODECS.items()
        ),
        envelope(GOOD, {"compression": "no/such"}),
    ]
    client = redis.Redis.from_url(redis_url)
    channel = f"/{redis_url.rpartition('/')[2]}.celeryev/worker.heartbeat"
    for one in [*hostile, envelope(GOOD, {})]:
        client.publish(channel, one)
    live.until(lambda: "good@test" in live.state.workers)
    reasons = live.state.totals.malformed_reasons
    assert live.state.totals.malformed == len(hostile), reasons
    assert {"nested too deeply", "too large when decompressed"} <= reasons.keys()
    assert not [line for line in live.log if "lost" in line]


PUBLISH_DEEP = f"""
import sys
from kombu import Connection
deep = {{}}
for _ in range({DEEP}):
    deep = {{"a": deep}}
sys.setrecursionlimit({DEEP} * 10)
with Connection(sys.argv[1]) as connection:
    for body in (b"{{}}", b""):
        connection.Producer().publish(
            body, exchange="celeryev", routing_key="worker.heartbeat", headers={{"deep": deep}},
            content_type="application/json", content_encoding="utf-8",
        )
"""
"""Runs in a process of its own: the recursion limit that it needs would help the reader as well."""


def test_hostile_messages_over_amqp_are_counted(amqp_url: str, open_session: OpenSession) -> None:
    live = open_session(amqp_url)
    live.until_live()
    totals = live.state.totals
    subprocess.run([sys.executable, "-c", PUBLISH_DEEP, amqp_url], check=True)
    live.until(lambda: totals.malformed == 2)
    codecs = {**CODECS, "no/such": bytes}
    with Connection(amqp_url) as connection:
        for number, (codec, pack) in enumerate(codecs.items()):
            # The event queue's messages expire after five seconds.
            live.until(lambda known=2 + number: totals.malformed == known)  # type: ignore[misc]
            connection.Producer().publish(
                pack(b" " * BOMB_BYTES if codec in CODECS else GOOD),
                exchange="celeryev",
                routing_key="worker.heartbeat",
                headers={"compression": codec},
                content_type="application/json",
                content_encoding="utf-8",
            )
        connection.Producer().publish(
            json.loads(GOOD), exchange="celeryev", routing_key="worker.heartbeat"
        )
    live.until(lambda: "good@test" in live.state.workers)
    assert totals.malformed == 2 + len(codecs), totals.malformed_reasons
    assert totals.malformed_reasons["too large when decompressed"] == len(CODECS)
    assert not [line for line in live.log if "lost" in line]
