"""Snapshots as JSON."""

from __future__ import annotations

import msgspec

from .records import Snapshot


def encode(snapshot: Snapshot) -> bytes:
    """Return a snapshot as UTF-8 JSON, indented by two and ended by a newline: made for `diff`.

    Control characters are escaped, as JSON does; all else is as it came from the cluster.
    """
    return msgspec.json.format(msgspec.json.encode(snapshot), indent=2) + b"\n"
