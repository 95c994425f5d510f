"""Converts the values of a MongoDB document to Python's built-in types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from .decode import MAX_DEPTH, Undecoded

_BASE_TYPES: Final = (int, bytes, str)
_EXACT_TYPES: Final = (bool, int, float, str, bytes, type(None))
"""Types that BSON restores exactly; it truncates times to milliseconds."""


def plain(value: Any, levels: int = MAX_DEPTH) -> Any:
    """Return a value with the driver's types replaced by their built-in base types.

    Raises:
        Undecoded: It is nested too deeply.
    """
    if not levels:
        raise Undecoded("nested too deeply")
    if isinstance(value, Mapping):
        return {str(key): plain(inner, levels - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, levels - 1) for inner in value]
    kind: Any = next((base for base in _BASE_TYPES if isinstance(value, base)), None)
    if kind and not isinstance(value, bool):
        return kind(value)
    return value if isinstance(value, (datetime, *_EXACT_TYPES)) else repr(value)


def is_exact(value: Any) -> bool:
    """Return whether a document's value is exactly what its sender passed, within JSON's types."""
    if isinstance(value, dict | list):
        return all(map(is_exact, value.values() if isinstance(value, dict) else value))
    return isinstance(value, _EXACT_TYPES)
