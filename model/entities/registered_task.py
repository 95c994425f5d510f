"""A task as the monitored app declares it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

ParameterKind: TypeAlias = Literal["positional", "either", "keyword", "args", "kwargs"]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a task; `self` of bound tasks is none."""

    name: str
    kind: ParameterKind = "either"
    """How it is passed: by position, by keyword or either; `args` and `kwargs` take the rest."""
    annotation: str = ""
    """Its type as the code has it; empty if it has none."""
    default: str | None = None
    """Its default as Python text; None if it has to be passed."""

    @property
    def takes_rest(self) -> bool:
        """Whether it takes any number of arguments."""
        return self.kind in ("args", "kwargs")


class RegisteredTask(msgspec.Struct, frozen=True):
    """A task that is registered in the app."""

    name: str
    queue: str | None = None
    """The queue that the app sends it to, by its own options or by a route; None if unknown."""
    max_retries: int | None = None
    parameters: tuple[Parameter, ...] | None = None
    """In their order; None if unknown."""
    summary: str = ""
    """The first sentence of its docstring."""
