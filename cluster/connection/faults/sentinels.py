"""Asks Redis Sentinels why they name no primary that accepts connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ....model.entities.fault import Fault

TIMEOUT: Final = 2.0
"""Seconds for one sentinel to answer."""
DOWN: Final = ("is_sdown", "is_odown", "is_disconnected")
"""The flags, by redis-py's names, of a primary that its sentinel cannot reach."""


def sentinel_fault(
    addresses: Sequence[tuple[str, int]], name: str, options: Mapping[str, Any]
) -> Fault:
    """Return why no primary of this name can be used. Blocks for some seconds.

    Args:
        addresses: Hosts and ports of the sentinels.
        name: The name of the primary, `master_name` in Celery's options.
        options: How to connect to the sentinels: `sentinel_kwargs` in Celery's options.
    """
    known: dict[str, Mapping[str, Any]] = {}
    silent = []
    for host, port in addresses:
        try:
            known |= _primaries(host, port, options)
        except Exception:  # redis-py raises its own errors and those of the socket
            silent.append(f"{host}:{port}")
    if len(silent) == len(addresses):
        return Fault(
            "sentinel",
            f"No sentinel responds at {', '.join(silent)}",
            "Check the addresses in the URL, and sentinel_kwargs in broker_transport_options if the"
            " sentinels require a password",
        )
    if name not in known:
        others = ", ".join(sorted(known)) or "none"
        return Fault(
            "sentinel",
            f"The sentinels monitor no primary named {name!r}",
            f"Set master_name in broker_transport_options to one that they monitor: {others}",
        )
    primary = known[name]
    return Fault(
        "primary",
        f"The primary {name!r} at {primary.get('ip')}:{primary.get('port')} does not accept"
        f" connections{', and the sentinels report it down' if _is_down(primary) else ''}",
        "celtop reconnects when the sentinels have promoted a replica; if they do not, see their"
        " logs",
    )


def _primaries(host: str, port: int, options: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    own = {key: options[key] for key in ("username", "password", "ssl") if key in options}
    client = Redis(
        host=host,
        port=port,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        **own,
    )
    try:
        primaries: Any = client.sentinel_masters()
        return dict(primaries)
    finally:
        client.close()


def _is_down(primary: Mapping[str, Any]) -> bool:
    return any(primary.get(flag) for flag in DOWN)
