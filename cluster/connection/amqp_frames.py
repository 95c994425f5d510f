"""Reads AMQP frames such that a message with unreadable headers does not end the connection.

py-amqp parses a message's headers while it reads the frame: a table nested thousands of levels
deep, or an invalid one, raises there, and the connection is lost. The message is delivered without
its properties instead, and is counted as malformed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, TypeAlias

Frame: TypeAlias = tuple[int, int, Any]
"""The type of a frame, its channel, and its payload."""

HEADER_FRAME: Final = 2
_FIXED_FIELDS: Final = struct.Struct(">HHQ")
"""A content header up to its properties: class, weight and size of the body (AMQP 0-9-1)."""
_NO_PROPERTIES: Final = b"\0\0"
"""Property flags of a message that has none."""


def frame_handler(connection: Any, callback: Callable[..., Any]) -> Callable[[Frame], Any]:
    """Return a function that reads the frames of a connection, as `amqp.method_framing` does."""
    from amqp.basic_message import Message
    from amqp.method_framing import frame_handler

    read = frame_handler(connection, callback)

    def on_frame(frame: Frame) -> Any:
        type_, channel, payload = frame
        if type_ != HEADER_FRAME:
            return read(frame)
        class_id, weight, body_size = _FIXED_FIELDS.unpack_from(payload)
        try:
            if body_size:
                return read(frame)
            # A message without a body is delivered by `read`: only parsing may fail here.
            Message().inbound_header(payload)
        except Exception:  # py-amqp still waits for this header after any error of parsing
            stripped = _FIXED_FIELDS.pack(class_id, weight, body_size) + _NO_PROPERTIES
            return read((type_, channel, stripped))
        return read(frame)

    return on_frame
