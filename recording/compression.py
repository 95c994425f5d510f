"""Compression of recordings: zstd, gzip or none, in blocks that can be read while more follow.

A file is decompressed in bounded steps: a few bytes of it may expand to more than the memory.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import IO, Any, Final, Literal, TypeAlias

Codec: TypeAlias = Literal["zstd", "gzip", "none"]

SUFFIXES: Final[dict[str, Codec]] = {
    ".zst": "zstd",
    ".zstd": "zstd",
    ".gz": "gzip",
    ".json": "none",
    ".jsonl": "none",
    ".ndjson": "none",
}
"""The codecs by the end of a file's name; any other name takes the best one that is installed."""
NO_ZSTD: Final = (
    "zstd needs Python 3.14 or the package backports.zstd (pip install 'celtop[zstd]');"
    " with the suffix .gz it is compressed with gzip"
)
_READ_BYTES: Final = 1 << 16
_PACKED_BYTES: Final = 1 << 10
"""Compressed bytes at a time: where they are damaged, what this many would have given is lost."""
_STEP_BYTES: Final = 1 << 20
"""Decompressed bytes at a time."""
_GZIP: Final = 31
"""The window of zlib for gzip files."""
_GZIP_LEVEL: Final = 6
_MAGIC: Final[dict[bytes, Codec]] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class Unreadable(ValueError):
    """The rest of a file cannot be decompressed; the text states why."""


def zstd_module() -> Any:
    """Return the module for zstd; None if it is not installed."""
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return import_module(name)
    except ImportError:
        return None


def codec_of(name: str) -> Codec:
    """Return the codec for a file's name.

    Raises:
        ValueError: The name asks for zstd, and it is not installed.
    """
    codec = next((codec for end, codec in SUFFIXES.items() if name.endswith(end)), None)
    if codec == "zstd" and zstd_module() is None:
        raise ValueError(NO_ZSTD)
    return codec or ("zstd" if zstd_module() is not None else "gzip")


class Compressor:
    """Compresses blocks, each of which can be read without those that follow."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        if codec == "gzip":
            self._gzip = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP)
        elif codec == "zstd":
            self._zstd = zstd_module().ZstdCompressor()

    def block(self, data: bytes) -> bytes:
        """Return the compressed form of a block."""
        if self._codec == "gzip":
            return self._gzip.compress(data) + self._gzip.flush(zlib.Z_SYNC_FLUSH)
        if self._codec == "zstd":
            packed: bytes = self._zstd.compress(data, mode=self._zstd.FLUSH_BLOCK)
            return packed
        return data

    def end(self) -> bytes:
        """Return what completes the file."""
        if self._codec == "gzip":
            return self._gzip.flush()
        if self._codec == "zstd":
            packed: bytes = self._zstd.flush(mode=self._zstd.FLUSH_FRAME)
            return packed
        return b""


def decompressed(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file in pieces of bounded size; its beginning names the codec.

    Raises:
        Unreadable: From the first piece that cannot be decompressed.
        OSError: The file cannot be read.
    """
    head = file.read(_PACKED_BYTES)
    codec = next((codec for magic, codec in _MAGIC.items() if head.startswith(magic)), "none")
    if codec == "none":
        while head:
            yield head
            head = file.read(_READ_BYTES)
        return
    if codec == "zstd" and zstd_module() is None:
        raise Unreadable("it is compressed with zstd, which is not installed: celtop[zstd]")
    steps = _unzip(file, head) if codec == "gzip" else _unzstd(file, head)
    try:
        yield from steps
    except OSError:
        raise
    except Exception as error:  # each library raises its own
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"the compressed data is corrupt ({error})") from None


def _unzip(file: IO[bytes], data: bytes) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(_GZIP)
    while data:
        piece = decompressor.decompress(data, _STEP_BYTES)
        if piece:
            yield piece
        if decompressor.eof:
            return
        data = decompressor.unconsumed_tail or file.read(_PACKED_BYTES)
    raise Unreadable("the file ends too early")


def _unzstd(file: IO[bytes], data: bytes) -> Iterator[bytes]:
    decompressor = zstd_module().ZstdDecompressor()
    while data or not decompressor.needs_input:
        piece = decompressor.decompress(data, _STEP_BYTES)
        if piece:
            yield piece
        if decompressor.eof:
            return
        data = file.read(_PACKED_BYTES) if decompressor.needs_input else b""
    raise Unreadable("the file ends too early")
