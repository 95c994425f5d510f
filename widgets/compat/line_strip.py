"""A strip that is cheap to make, for lines that are drawn again with each frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.segment import Segment
from textual.cache import FIFOCache
from textual.strip import Strip

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


class LineStrip(Strip):
    """A strip whose caches are made when they are first used.

    Textual makes seven for each strip, which takes longer than everything else about a line; a line
    that is shown whole uses none of them.
    """

    __slots__ = ()

    def __init__(self, segments: list[Segment], cell_length: int) -> None:
        self._segments = segments
        self._cell_length = cell_length
        self._render_cache = None
        self._link_ids = None
        self._cell_count = None

    def __getattr__(self, name: str) -> Any:
        size = _CACHE_SIZES.get(name)
        if size is None:
            raise AttributeError(name)
        cache: FIFOCache[Any, Any] = FIFOCache(size)
        setattr(self, name, cache)
        return cache

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Divide the strip; one that is not cut stays itself.

        As in Textual, places beyond its end are ignored: a scrollbar may be beside it.
        """
        places = list(cuts)
        whole = bool(places) and places[0] == self._cell_length
        return [self] if whole else super().divide(places)
