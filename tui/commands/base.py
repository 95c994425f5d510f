"""What a typed command is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..app import CeltopApp

Run: TypeAlias = "Callable[[CeltopApp, str], None]"
Values: TypeAlias = "Callable[[CeltopApp], Iterable[str]]"


class CommandError(Exception):
    """A command that cannot be done, in words for who typed it."""


@dataclass(frozen=True, slots=True)
class Command:
    """A typed command."""

    name: str
    help: str
    run: Run
    argument: str = ""
    """What may follow, for the help: `SECONDS`."""
    values: Values | None = None
    """What may follow, for completion."""
    aliases: tuple[str, ...] = ()
