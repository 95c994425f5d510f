"""Has glibc return freed memory: by default it keeps much of it in heaps, one for each thread.

Python's own allocator serves objects of up to 512 bytes; messages, lists and dicts come from here.
"""

from __future__ import annotations

import sys
from typing import Any, Final

MAX_HEAPS: Final = 1
"""glibc makes 8 for each core; threads of Python seldom allocate at the same moment."""
MMAP_THRESHOLD: Final = 256 << 10
"""Bytes from which a block is mapped on its own, and unmapped when it is freed. By default glibc
raises this up to 32 MiB, and the next large block splits up the heap."""

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
"""Parameters of `mallopt` (malloc.h)."""


def limit_heaps() -> None:
    """Set both for this process; call it before threads start."""
    library = _library()
    if library is not None:
        library.mallopt(_M_ARENA_MAX, MAX_HEAPS)
        library.mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD)


def release_memory() -> None:
    """Return freed memory within the heap, too; this takes up to 20 ms."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


def _library() -> Any:
    """Return the C library; None if it is not glibc."""
    if sys.platform != "linux":
        return None
    import ctypes

    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
