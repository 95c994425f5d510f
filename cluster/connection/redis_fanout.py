"""Publishes to the subscribers of a fanout exchange on Redis, and counts them."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    message = channel.prepare_message(
        body,
        content_type="application/json",
        content_encoding="utf-8",
        headers=dict(headers or {}),
    )
    channel._inplace_augment_message(message, exchange, routing_key)
    topic = channel._get_publish_topic(exchange, routing_key)
    with channel.conn_or_acquire() as client:
        return int(client.publish(topic, json.dumps(message)))
