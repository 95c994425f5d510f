"""Values of any type as JSON, and back: arguments, results and workers' replies.

What JSON cannot hold is written as kombu writes it: `{"__type__": "decimal", "__value__": "1.10"}`
(`kombu/utils/json.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

KEPT_TYPES: Final = (bytes, bytearray, datetime, date, time, Decimal, UUID)
"""Types that `msgspec.to_builtins` must leave to `to_json`."""
_TYPE: Final = "__type__"
_VALUE: Final = "__value__"


def to_json(value: Any) -> Any:
    """Return a value with only types that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _typed("float", repr(value))
    if isinstance(value, datetime):
        return _typed("datetime", value.isoformat())
    if isinstance(value, date | time):
        return _typed(type(value).__name__, value.isoformat())
    if isinstance(value, Decimal):
        return _typed("decimal", str(value))
    if isinstance(value, UUID):
        return _typed("uuid", str(value))
    if isinstance(value, bytes | bytearray):
        return _typed("bytes", bytes(value).hex())
    return repr(value)


def from_json(value: Any) -> Any:
    """Return a value of `to_json` as it was; an unknown type stays a table."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_TYPE, _VALUE} and isinstance(text := value[_VALUE], str):
        read = _READERS.get(str(value[_TYPE]))
        if read is not None:
            try:
                return read(text)
            except (ValueError, InvalidOperation):
                return value
    return {key: from_json(item) for key, item in value.items()}


def _typed(name: str, text: str) -> dict[str, str]:
    return {_TYPE: name, _VALUE: text}


_READERS: Final[dict[str, Any]] = {
    "float": float,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
    "bytes": bytes.fromhex,
}
