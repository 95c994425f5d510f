"""Completion of arguments and options in shells, by click's own mechanism.

Names of the cluster come from `known_names`; nothing is printed if they cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from .known_names import KnownNames

Kind: TypeAlias = Literal[
    "tasks", "types", "workers", "queues", "tasks or queues", "limits", "clusters", "filter",
    "codes", "signals", "files",
]  # fmt: skip

_BY_METAVAR: Final[dict[str, Kind]] = {
    "ID": "tasks",
    "[ID]...": "tasks",
    "ID|QUEUE": "tasks or queues",
    "FILTER": "filter",
    "[FILTER]": "filter",
    "QUEUE=N": "limits",
    "QUEUE=DURATION": "limits",
    "CODE": "codes",
    "FILE": "files",
    "DIR": "files",
}
_BY_NAME: Final[dict[str, Kind]] = {
    "queue": "queues",
    "queues": "queues",
    "task": "types",
    "worker": "workers",
    "patterns": "workers",
    "cluster": "clusters",
    "signal": "signals",
}
_LISTS: Final = frozenset({"workers", "queues", "types"})
"""Commands whose filter is text to look for."""


class Completed(click.types.StringParamType):
    """A text that the shell completes."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the completions of a value."""
        if self.kind == "files":
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(value) for value in values(ctx, self.kind, incomplete)]


def add_completion(command: click.Command) -> None:
    """Have the shell complete the arguments and options of a command and its subcommands."""
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        add_completion(below)
    for param in command.params:
        if param.type is click.STRING and (kind := _kind(command, param)) is not None:
            param.type = Completed(kind)


def _kind(command: click.Command, param: click.Parameter) -> Kind | None:
    if command.name == "trigger" and param.name == "name":
        return "types"
    name = param.name or ""
    if param.metavar in _BY_METAVAR:
        kind = _BY_METAVAR[param.metavar]
        if kind == "filter" and isinstance(param, click.Argument) and command.name in _LISTS:
            return command.name  # type: ignore[return-value]
        return kind
    return _BY_NAME.get(name)


def values(ctx: click.Context, kind: Kind, typed: str) -> list[str]:
    """Return the values that begin with what was typed, the likely ones first."""
    if kind == "codes":
        from ...model.health.codes import CODES

        return _starting(CODES, typed)
    if kind == "signals":
        from ...model.operations.commands import SIGNALS

        return _starting(SIGNALS, typed)
    from .known_names import known_names

    names = known_names(ctx)
    if kind == "filter":
        return _filters(names, typed)
    if kind == "limits":
        return [f"{queue}=" for queue in _starting(names.queues, typed)]
    before, comma, last = typed.rpartition(",")
    if kind == "queues" and comma:  # several, separated by commas
        return [f"{before},{one}" for one in _starting(names.queues, last)]
    found: dict[str, Iterable[str]] = {
        "tasks": names.tasks,
        "types": names.types,
        "workers": names.workers,
        "queues": names.queues,
        "clusters": names.clusters,
        "tasks or queues": (*names.tasks, *names.queues),
    }
    return _starting(found[kind], typed)


def _starting(names: Iterable[str], typed: str) -> list[str]:
    # An escape sequence in a name would reach the terminal.
    return [name for name in names if name.startswith(typed) and name.isprintable()]


def _filters(names: KnownNames, typed: str) -> list[str]:
    from ...model.query.completion import completions
    from ...model.query.fields import STATE_NAMES

    known: dict[str, Iterable[str]] = {
        # As they are typed: shells compare with the case.
        "state": sorted({name.lower() for name in STATE_NAMES}),
        "name": names.types,
        "worker": names.workers,
        "queue": names.queues,
        "id": names.tasks,
    }
    found = completions(typed, lambda field: known.get(field, ()))
    return [one.text for one in found if one.extends]
