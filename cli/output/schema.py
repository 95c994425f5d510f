"""`--schema`: prints the JSON Schema of what a command prints as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from .stdout import write


def schema_option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option `--schema` of a command, for the document of this name.

    It needs no broker, like `--help`, and ends the command.
    """

    def show(ctx: click.Context, option: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            from ...export.schemas import schema

            write(schema(name))
            ctx.exit()

    return click.option(
        "--schema", is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="Print the JSON Schema of the output and exit.",
    )  # fmt: skip
