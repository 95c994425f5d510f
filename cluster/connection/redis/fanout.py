"""Publishes to the subscribers of a fanout exchange on Redis, and counts them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def publish(
    channel: Any,
    exchange: str,
    routing_key: str,
    body: str,
    headers: Mapping[str, Any] | None = None,
) -> int:
    """Publish a JSON body as kombu does; return the number of clients that received it.

    kombu itself drops this number, which is the reply of `PUBLISH`.

    Raises:
        Exception: Any error of the transport.
    """
    return publish_all(channel, exchange, routing_key, [body], headers)[0]


def publish_all(
    channel: Any,
    exchange: str,
    routing_key: str,
    bodies: Sequence[str],
    headers: Mapping[str, Any] | None = None,
) -> list[int]:
    """Publish several JSON bodies within one round trip; kombu waits for the reply to each.

    Raises:
        Exception: Any error of the transport.
    """
    topic = channel._get_publish_topic(exchange, routing_key)
    with channel.conn_or_acquire() as client:
        pipeline = client.pipeline(transaction=False)
        for body in bodies:
            message = channel.prepare_message(
                body,
                content_type="application/json",
                content_encoding="utf-8",
                headers=dict(headers or {}),
            )
            channel._inplace_augment_message(message, exchange, routing_key)
            pipeline.publish(topic, json.dumps(message))
        return list(map(int, pipeline.execute()))
