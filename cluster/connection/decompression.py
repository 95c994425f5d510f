"""Decompresses message bodies within a bound: a few bytes may expand to more than the memory.

kombu decompresses each message as it arrives, without a bound, and so would every codec that an
app registers. Here only codecs whose output can be bounded are read.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

MAX_DECOMPRESSED_BYTES: Final = 32 << 20

_ALIASES: Final[Mapping[str, str]] = {
    "gzip": "application/x-gzip",
    "zlib": "application/x-gzip",
    "bzip2": "application/x-bz2",
    "bzip": "application/x-bz2",
    "brotli": "application/x-brotli",
    "lzma": "application/x-lzma",
    "xz": "application/x-lzma",
    "zstd": "application/zstd",
    "zstandard": "application/zstd",
}
"""The names that kombu gives the codecs (`kombu.compression`)."""


class DecompressionError(ValueError):
    """A body cannot be decompressed, or not within the bound; the text states which."""


def decompress(body: bytes, codec: str, limit: int = MAX_DECOMPRESSED_BYTES) -> bytes:
    """Return a body that kombu compressed with a codec; at most `limit` bytes are produced.

    Raises:
        DecompressionError: The codec is unknown, the body is broken, or its content is larger.
    """
    name = _ALIASES.get(codec, codec)
    read = _CODECS.get(name)
    if read is None:
        raise DecompressionError(f"cannot decompress {codec[:60]}: unknown codec")
    try:
        # One byte more than allowed shows that there is more.
        plain = read(body, limit + 1)
    except Exception as error:  # each library raises its own
        raise DecompressionError(f"cannot decompress {codec}: {type(error).__name__}") from error
    if len(plain) > limit:
        raise DecompressionError("too large when decompressed")
    return plain


def _gzip(body: bytes, limit: int) -> bytes:
    return _finished(zlib.decompressobj(), body, limit)


def _finished(decompressor: Any, body: bytes, limit: int) -> bytes:
    plain: bytes = decompressor.decompress(body, limit)
    if not decompressor.eof and len(plain) < limit:
        raise EOFError("the body ends too early")
    return plain


def _brotli(body: bytes, limit: int) -> bytes:
    # `output_buffer_limit` is new in brotli 1.2: older versions raise TypeError, and are not used.
    decompressor = import_module("brotli").Decompressor()
    plain: bytes = b""
    while len(plain) < limit:
        plain += decompressor.process(body, output_buffer_limit=limit - len(plain))
        if decompressor.is_finished():
            return plain
        if decompressor.can_accept_more_data():
            raise EOFError("the body ends too early")
        body = b""
    return plain


def _zstd(body: bytes, limit: int) -> bytes:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    return _finished(import_module(name).ZstdDecompressor(), body, limit)


_CODECS: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {
    "application/x-gzip": _gzip,
    "application/x-bz2": lambda body, limit: _finished(bz2.BZ2Decompressor(), body, limit),
    "application/x-lzma": lambda body, limit: _finished(lzma.LZMADecompressor(), body, limit),
    "application/x-brotli": _brotli,
    "application/zstd": _zstd,
}


def bounded_transport(transport: type[Any]) -> type[Any]:
    """Return a subclass of a kombu transport whose messages are decompressed within the bound.

    A message that cannot be is delivered with the error in `errors`, as kombu does. Transports
    with messages of their own making are returned unchanged.
    """
    from kombu.transport.virtual import Transport

    def bounded(channel: Any) -> type[Any]:
        message = type("Message", (channel.Message, _bounded_message()), {})
        return type(channel.__name__, (channel,), {"Message": message})

    if transport.driver_name == "py-amqp":
        own = transport.Connection
        connection = type(own.__name__, (own,), {"Channel": bounded(own.Channel)})
        return type(transport.__name__, (transport,), {"Connection": connection})
    if issubclass(transport, Transport):
        channel = bounded(transport.Channel)
        return type(transport.__name__, (transport,), {"Channel": channel})
    return transport


def _bounded_message() -> type[Any]:
    from kombu.message import Message

    class BoundedMessage(Message):  # type: ignore[misc]
        """Between a transport's own class of messages and kombu's base, which decompresses."""

        def __init__(self, body: Any = None, headers: Any = None, **fields: Any) -> None:
            headers = headers if isinstance(headers, dict) else {}
            codec = headers.get("compression")
            if not codec:
                super().__init__(body, headers=headers, **fields)
                return
            unread = {key: value for key, value in headers.items() if key != "compression"}
            super().__init__(body, headers=unread, **fields)
            self.headers = headers
            packed: Any = self.body  # type: ignore[has-type]
            try:
                self.body = decompress(packed, str(codec))
            except (DecompressionError, TypeError):
                self.errors.append(sys.exc_info())

    return BoundedMessage
