"""Asking a person before an act: in the same words as the dialog on the screen, on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..model.text.sanitize import visible
from .exit_codes import Misuse

if TYPE_CHECKING:
    from ..model.confirm.dispatch import Confirmation

NO_TERMINAL = "there is no terminal to ask on: say --yes to do it, or --dry-run to see what it is"


def require_terminal() -> None:
    """Refuse where nobody can be asked.

    Raises:
        Misuse: stdin or stderr is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Misuse(NO_TERMINAL)


def agreed(asked: Confirmation) -> bool:
    """Put the question and return the answer; anything but what is asked for means no.

    Raises:
        Abort: ctrl-c, or the end of the input.
    """
    for line in described(asked):
        click.echo(line, err=True)
    if asked.must_type is None:
        answer = click.prompt(
            f"{visible(asked.verb)}? [y/N]", "", show_default=False, err=True, prompt_suffix=" "
        )
        return str(answer).strip().lower() in ("y", "yes")
    wanted = visible(asked.must_type)
    answer = click.prompt(
        f"{visible(asked.verb)}? Type {wanted} to do it, nothing to leave it",
        "", show_default=False, err=True,
    )  # fmt: skip
    return str(answer).strip() in (asked.must_type, wanted)


def described(asked: Confirmation) -> list[str]:
    """Return an act in words, harmless: what, to whom, what happens and what does not."""
    lines = [f"{asked.title}?"]
    lines += [f"  {target}" for target in asked.targets]
    lines += [f"+ {sentence}" for sentence in asked.effects]
    lines += [f"- {sentence}" for sentence in asked.caveats]
    if number := len(asked.expected_workers):
        who = "1 worker is" if number == 1 else f"{number:,} workers are"
        lines.append(f"= {who} to answer")
    return [visible(line) for line in lines]
