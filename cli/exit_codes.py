"""What celtop's exit codes mean, and the failures that carry one."""

from __future__ import annotations

from enum import IntEnum
from typing import IO, Any

import click

from . import stderr


class ExitCode(IntEnum):
    """The contract with scripts."""

    OK = 0
    NO = 1
    """The answer is no: a check failed."""
    USAGE = 2
    UNREACHABLE = 3
    """The broker could not be reached."""
    TIMEOUT = 4
    INTERRUPTED = 130


class Failure(click.ClickException):
    """An end with words instead of a traceback; what the words are about decides the code."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Tell the user."""
        stderr.say(self.format_message())


class Misuse(Failure):
    """What was asked for makes no sense, or cannot be done here."""

    exit_code = ExitCode.USAGE


class Unreachable(Failure):
    """The broker could not be reached."""

    exit_code = ExitCode.UNREACHABLE
