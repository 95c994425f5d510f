"""The types of settings: each reads a value, or the text of a flag or variable, and checks it.

A reader takes any value and returns one of its type, or raises `InvalidValue`. They are plain
functions: importing a validation library takes longer than the rest of the first frame.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, TypeVar

from .model.entities.keep import KEEP
from .model.text import parse

T = TypeVar("T")

SafeSerializer: TypeAlias = Literal["json", "msgpack"]
SAFE_SERIALIZERS: Final[tuple[SafeSerializer, ...]] = ("json", "msgpack")

_PROGRESS_FIELDS: Final = ("current", "total", "percent", "text")
_DOTTED_PATH: Final = re.compile(r"[^.\s]+(?:\.[^.\s]+){0,19}")
_SWITCHES: Final = {
    **dict.fromkeys(("true", "yes", "on", "t", "y", "1"), True),
    **dict.fromkeys(("false", "no", "off", "f", "n", "0"), False),
}
_READER: Final = "reader"


class InvalidValue(ValueError):
    """A value cannot be used for a setting.

    Args:
        reason: Why, such as `must be a number`.
        key: The key, if the setting is a table and only the value of this key is invalid.
    """

    def __init__(self, reason: str, key: str = "") -> None:
        super().__init__(reason)
        self.key = key


def setting(default: T, reader: Callable[[object], T]) -> T:
    """Define a dataclass field of `Settings`: its default, and how its values are read.

    None is accepted if it is the default.
    """
    metadata = {_READER: reader}
    if isinstance(default, dict):
        field: Any = dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    else:
        field = dataclasses.field(default=default, metadata=metadata)
    return field  # type: ignore[no-any-return]


def read(field: dataclasses.Field[Any], value: object) -> Any:
    """Return a value as the type of a field.

    Raises:
        InvalidValue: It is not of that type.
    """
    if value is None and field.default is None:
        return None
    try:
        return field.metadata[_READER](value)
    except InvalidValue:
        raise
    except ValueError as error:
        raise InvalidValue(str(error)) from error


def is_setting(field: dataclasses.Field[Any]) -> bool:
    """Return whether a field was defined by `setting`."""
    return _READER in field.metadata


def text(value: object) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise InvalidValue("must be a text")
    return value


def one_of(*choices: T) -> Callable[[object], T]:
    """Return a reader of one of these texts."""

    def read_choice(value: object) -> T:
        for choice in choices:
            if value == choice:
                return choice
        *first, last = map(repr, choices)
        raise InvalidValue(f"must be {', '.join(first)} or {last}")

    return read_choice


def switch(value: object) -> bool:
    """Read a boolean, or a text such as `yes` or `0`."""
    found = _SWITCHES.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise InvalidValue("must be true or false")
    return found


def whole_number(minimum: int) -> Callable[[object], int]:
    """Return a reader of whole numbers."""

    def read_number(value: object) -> int:
        found = value
        if isinstance(value, str):
            try:
                found = int(value)
            except ValueError:
                found = None
        elif isinstance(value, float) and value.is_integer():
            found = int(value)
        if not isinstance(found, int) or isinstance(found, bool):
            raise InvalidValue("must be a whole number")
        if found < minimum:
            raise InvalidValue(f"must be {minimum:,} or more")
        return found

    return read_number


def rate(maximum: float) -> Callable[[object], float]:
    """Return a reader of numbers above 0."""

    def read_rate(value: object) -> float:
        found = _number(value)
        if not 0 < found <= maximum:
            raise InvalidValue(f"must be more than 0 and at most {maximum:g}")
        return found

    return read_rate


def seconds(minimum: float) -> Callable[[object], float]:
    """Return a reader of seconds: a number, or a duration such as `30s` or `1h 30m`."""

    def read_seconds(value: object) -> float:
        found = parse.duration(value) if isinstance(value, str) else _number(value)
        if not found >= minimum:
            raise InvalidValue(f"must be {minimum:g} s or more")
        return found

    return read_seconds


def _number(value: object) -> float:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise InvalidValue("must be a number")


def names(value: object) -> tuple[str, ...]:
    """Read a list of texts, or a text such as `a,b`."""
    return _texts(_split(value, ",") if isinstance(value, str) else value)


def serializers(value: object) -> tuple[SafeSerializer, ...]:
    """Read serializers as a list or as text: only those that cannot run the sender's code."""
    choose = one_of(*SAFE_SERIALIZERS)
    return tuple([choose(name) for name in names(value)])


def patterns(value: object) -> tuple[str, ...]:
    """Read regular expressions: a list, or one per line, as they may contain any separator."""
    found = _texts(_split(value, "\n") if isinstance(value, str) else value)
    for pattern in found:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise InvalidValue(f"{pattern!r} is not a regular expression: {error}") from error
    return found


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, Sequence | set | frozenset):
        raise InvalidValue("must be a list of texts")
    return tuple([text(item) for item in value])


def _split(value: str, separator: str) -> list[str]:
    return [item.strip() for item in value.split(separator) if item.strip()]


def table(value: object) -> dict[str, Any]:
    """Read a table, or the text of a JSON object."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise InvalidValue(f"not a JSON object: {error}") from None
    if not isinstance(value, Mapping):
        raise InvalidValue("must be a table")
    return {text(key): item for key, item in value.items()}


def table_or_switch(value: object) -> dict[str, Any] | bool:
    """Read a table or a boolean."""
    try:
        return switch(value)
    except InvalidValue:
        pass
    try:
        return table(value)
    except InvalidValue:
        raise InvalidValue("must be a table, true or false") from None


def budgets(value: object) -> dict[str, int]:
    """Read the numbers of tasks to keep, and complete them with the defaults."""
    found = dict(KEEP)
    for kind, item in table(value).items():
        if kind not in KEEP:
            raise InvalidValue(f"unknown kind of task {kind!r}; use {', '.join(KEEP)}", kind)
        try:
            found[kind] = whole_number(0)(item)
        except InvalidValue as error:
            raise InvalidValue(f"{kind} {error}", kind) from None
    return found


def progress_paths(value: object) -> dict[str, dict[str, str]]:
    """Read dotted paths to known fields for each task name pattern."""
    return {pattern: _paths(pattern, paths) for pattern, paths in table(value).items()}


def _paths(pattern: str, value: object) -> dict[str, str]:
    if not pattern.strip():
        raise InvalidValue("empty task name pattern")
    if not isinstance(value, Mapping):
        raise InvalidValue(f"{pattern} must be a table", pattern)
    for field, path in value.items():
        if field not in _PROGRESS_FIELDS:
            known = ", ".join(_PROGRESS_FIELDS)
            raise InvalidValue(f"{pattern}: unknown field {field!r}; use {known}", pattern)
        if not isinstance(path, str) or not _DOTTED_PATH.fullmatch(path):
            raise InvalidValue(f"{pattern}: {field} is not a dotted path: {path!r}", pattern)
    if "total" in value and "current" not in value:
        raise InvalidValue(f"{pattern}: total requires current", pattern)
    if not value:
        raise InvalidValue(f"{pattern}: no path for current, percent or text", pattern)
    return dict(value)


def keys_by_action(value: object) -> dict[str, str | tuple[str, ...]]:
    """Read a key or a list of keys for each action id."""
    found: dict[str, str | tuple[str, ...]] = {}
    for action, keys in _leaves(table(value)):
        try:
            found[action] = keys if isinstance(keys, str) else _texts(keys)
        except InvalidValue:
            raise InvalidValue("must be a key or a list of keys", action) from None
    return found


def _leaves(nested: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values by dotted names: TOML makes nested tables of ids without quotes."""
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in _leaves(value))
        else:
            yield name, value
