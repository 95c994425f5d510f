"""Strips that are cheap to make: the caches of each are made when they are first used.

Textual makes seven caches for each strip, which takes longer than everything else about a line; a
strip that is shown once uses none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from rich.segment import Segment
from textual.cache import FIFOCache
from textual.strip import Strip

from .replaced import replaced

_CACHE_SIZES: Final = {
    "_divide_cache": 4,
    "_crop_cache": 16,
    "_style_cache": 16,
    "_filter_cache": 4,
    "_line_length_cache": 4,
    "_crop_extend_cache": 4,
    "_offsets_cache": 4,
}
"""The caches of `Strip`, with the sizes that Textual gives them."""
_OTHERS: Final = {"_segments", "_cell_length", "_render_cache", "_link_ids", "_cell_count"}


def cheap_strips() -> AbstractContextManager[None]:
    """Have all strips made within the block make their caches when they are first used.

    Textual makes them itself when it cuts lines, so that a class of ours is not enough: this is a
    quarter of the cost of drawing a page. Nothing happens with a version of Textual whose strips
    have other attributes.
    """
    if set(Strip.__slots__) != _CACHE_SIZES.keys() | _OTHERS:
        return nullcontext()
    # It stays: Textual keeps some strips, and those may need a cache after the block.
    Strip.__getattr__ = _made  # type: ignore[attr-defined]
    return replaced(Strip, "__init__", _init)


def _init(self: Strip, segments: Iterable[Segment], cell_length: int | None = None) -> None:
    self._segments = list(segments)
    self._cell_length = cell_length
    self._render_cache = None
    self._link_ids = None
    self._cell_count = None


def _made(self: Strip, name: str) -> Any:
    size = _CACHE_SIZES.get(name)
    if size is None:
        raise AttributeError(name)
    cache: FIFOCache[Any, Any] = FIFOCache(size)
    setattr(self, name, cache)
    return cache


class LineStrip(Strip):
    """A strip for lines that are drawn again with each frame."""

    __slots__ = ()

    def __init__(self, segments: list[Segment], cell_length: int) -> None:
        self._segments = segments
        self._cell_length = cell_length
        self._render_cache = None
        self._link_ids = None
        self._cell_count = None

    def __getattr__(self, name: str) -> Any:
        return _made(self, name)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Divide the strip; one that is not cut stays itself.

        As in Textual, places beyond its end are ignored: a scrollbar may be beside it.
        """
        places = list(cuts)
        whole = bool(places) and places[0] == self._cell_length
        return [self] if whole else super().divide(places)
