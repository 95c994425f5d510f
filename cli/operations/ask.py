"""Asks for confirmation on stderr, in the words of the dialog on the screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ...model.text.phrases import counted
from ...model.text.sanitize import visible
from ..exit_codes import InvalidUsage

if TYPE_CHECKING:
    from ...model.confirm.dispatch import Confirmation


def require_terminal(*, can_dry_run: bool = True) -> None:
    """Refuse to go on if the question could not be asked.

    Args:
        can_dry_run: Whether the command has the option --dry-run.

    Raises:
        InvalidUsage: stdin or stderr is not a terminal.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        instead = ", or --dry-run to see what would be done" if can_dry_run else ""
        raise InvalidUsage(
            f"Cannot ask for confirmation without a terminal. Pass --yes to proceed{instead}"
        )


def ask(confirmation: Confirmation) -> bool:
    """Ask, and return whether the answer confirms the operation.

    Raises:
        Abort: ctrl-c, or the end of the input.
    """
    title, *details = confirmation_lines(confirmation)
    click.echo("\n".join((f"{title}?", *details)), err=True)
    question = f"{visible(confirmation.verb)}?"
    if confirmation.must_type is None:
        answer = _prompt(f"{question} [y/N]", suffix=" ")
        return answer.lower() in ("y", "yes")
    expected = visible(confirmation.must_type)
    answer = _prompt(f"{question} Type {expected} to confirm, or press enter to cancel")
    return answer in (confirmation.must_type, expected)


def confirmation_lines(confirmation: Confirmation) -> list[str]:
    """Return the operation, its targets, effects, cautions, and the replies to expect."""
    lines = [confirmation.title]
    lines += [f"  {target}" for target in confirmation.targets]
    lines += [f"Effect: {sentence}" for sentence in confirmation.effects]
    cautions = (*confirmation.warnings, *confirmation.caveats)
    lines += [f"Caution: {sentence}" for sentence in cautions]
    if number := len(confirmation.expected_workers):
        lines.append(f"{counted(number, 'worker')} expected to confirm")
    return [visible(line) for line in lines]


def _prompt(text: str, suffix: str = ": ") -> str:
    answer = click.prompt(text, "", show_default=False, err=True, prompt_suffix=suffix)
    return str(answer).strip()
