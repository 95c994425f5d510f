"""The types of settings: each reads the text of a flag or variable, and checks the value."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from math import inf
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import structs
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import from_json

from ..model.entities.limits.alert_rules import AlertRules
from ..model.entities.limits.keep import KEEP
from ..model.entities.limits.thresholds import Thresholds
from ..model.health.codes import CODES
from ..model.text import parse
from ..model.text.urls import is_http_url

_PROGRESS_FIELDS: Final = ("current", "total", "percent", "text")
_DOTTED_PATH: Final = re.compile(r"[^.\s]+(?:\.[^.\s]+){0,19}")


def _comma_separated(value: object) -> object:
    """Read `a,b` from a flag or the environment as a list."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _line_separated(value: object) -> object:
    """Read one item per line as a list: a regular expression may contain any other separator."""
    if isinstance(value, str):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return value


def _regular_expression(value: str) -> str:
    """Check that a text is a regular expression."""
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from error
    return value


def _seconds(value: object) -> object:
    """Read a duration such as `90`, `30s` or `1h 30m` as seconds."""
    return parse.duration(value) if isinstance(value, str) else value


def _progress_paths(value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Check that each task name pattern has dotted paths to known fields."""
    for pattern, paths in value.items():
        if not pattern.strip():
            raise ValueError("empty task name pattern")
        for field, path in paths.items():
            if field not in _PROGRESS_FIELDS:
                known = ", ".join(_PROGRESS_FIELDS)
                raise ValueError(f"{pattern}: unknown field {field!r}; use {known}")
            if not _DOTTED_PATH.fullmatch(path):
                raise ValueError(f"{pattern}: {field} is not a dotted path: {path!r}")
        if "total" in paths and "current" not in paths:
            raise ValueError(f"{pattern}: total requires current")
        if not paths:
            raise ValueError(f"{pattern}: no path for current, percent or text")
    return value


def _budgets(value: dict[str, int]) -> dict[str, int]:
    """Check the numbers of tasks to keep, and complete them with the defaults."""
    for kind, count in value.items():
        if kind not in KEEP:
            raise ValueError(f"unknown kind of task {kind!r}; use {', '.join(KEEP)}")
        if count < 0:
            raise ValueError(f"{kind} must be 0 or more")
    return {**KEEP, **value}


def _thresholds(value: dict[str, float]) -> dict[str, float]:
    """Check the limits of findings, and complete them with the defaults."""
    defaults = structs.asdict(Thresholds())
    for name, limit in value.items():
        if name not in defaults:
            raise ValueError(f"unknown limit {name!r}; use {', '.join(defaults)}")
        if not 0 <= limit < inf:
            raise ValueError(f"{name} must be 0 or more")
    return {**defaults, **value}


def _alerts(value: dict[str, Any]) -> dict[str, Any]:
    """Check the rules of alerts, and complete them with the defaults."""
    table = dict(value)
    for name in ("for", "repeat"):
        if name in table:
            table[name] = _seconds(table[name])
            if not isinstance(table[name], int | float) or not 0 <= table[name] < inf:
                raise ValueError(f"{name}: a duration such as 30s or 4h")
    if isinstance(command := table.get("command"), str):
        try:
            table["command"] = shlex.split(command)
        except ValueError as error:
            raise ValueError(f"command: {error}") from error
    try:
        rules = msgspec.convert(table, AlertRules)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    if unknown := sorted(set(rules.ignore) - CODES.keys()):
        raise ValueError(f"ignore: unknown code {unknown[0]!r}")
    if rules.command and (not rules.command[0] or "\0" in "".join(rules.command)):
        raise ValueError("command: a program and its arguments, without NUL characters")
    if rules.webhook and not is_http_url(rules.webhook):
        raise ValueError("webhook: an http or https URL")
    complete: dict[str, Any] = msgspec.to_builtins(rules)
    return complete


def _management_url(value: str) -> str:
    """Check the URL of RabbitMQ's management API; its scheme may be left out."""
    if value and not is_http_url(value if "://" in value else f"http://{value}"):
        raise ValueError("an http or https URL such as http://rabbit:15672, or never")
    return value


def _history_location(value: str) -> str:
    """Check where the history is to be kept."""
    scheme, separator, _ = value.partition("://")
    if not value.strip() or (separator and scheme not in ("postgresql", "postgres", "sqlite")):
        raise ValueError("sqlite, the path of a file, postgresql://..., or off")
    return value


def _http_url(value: str) -> str:
    if value and not is_http_url(value):
        raise ValueError("an http or https URL such as http://prometheus:9090")
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("it must not contain control characters")
    return value


def _table(value: object) -> object:
    """Read JSON from a flag or the environment as a table."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return from_json(value)
    return value


def _flat(value: object) -> object:
    """Join the names of nested tables by dots: TOML makes such tables of ids without quotes."""
    return dict(_leaves(value)) if isinstance(value, Mapping) else value


def _leaves(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in _leaves(value))
        else:
            yield name, value


SafeSerializer: TypeAlias = Literal["json", "msgpack"]
Serializers: TypeAlias = Annotated[tuple[SafeSerializer, ...], BeforeValidator(_comma_separated)]
Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_comma_separated)]
Patterns: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_regular_expression)], ...],
    BeforeValidator(_line_separated),
]
Seconds: TypeAlias = Annotated[float, BeforeValidator(_seconds)]
ClusterName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=200), AfterValidator(_printable)
]
ClusterTables: TypeAlias = Annotated[dict[ClusterName, dict[str, Any]], BeforeValidator(_table)]
Table: TypeAlias = Annotated[dict[str, Any], BeforeValidator(_table)]
ProgressPaths: TypeAlias = Annotated[
    dict[str, dict[str, str]], BeforeValidator(_table), AfterValidator(_progress_paths)
]
Budgets: TypeAlias = Annotated[dict[str, int], BeforeValidator(_table), AfterValidator(_budgets)]
Limits: TypeAlias = Annotated[
    dict[str, Annotated[float, BeforeValidator(_seconds)]],
    BeforeValidator(_table),
    AfterValidator(_thresholds),
]
ManagementUrl: TypeAlias = Annotated[str, AfterValidator(_management_url)]
HistoryLocation: TypeAlias = Annotated[str, AfterValidator(_history_location)]
HttpUrl: TypeAlias = Annotated[str, AfterValidator(_http_url)]
Labels: TypeAlias = Annotated[dict[str, str], BeforeValidator(_table)]
Alerts: TypeAlias = Annotated[dict[str, Any], BeforeValidator(_table), AfterValidator(_alerts)]
KeysByAction: TypeAlias = Annotated[
    dict[str, str | tuple[str, ...]], BeforeValidator(_flat), BeforeValidator(_table)
]
TableOrSwitch: TypeAlias = Annotated[dict[str, Any] | bool | None, BeforeValidator(_table)]
