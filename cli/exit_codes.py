"""The exit codes of every command, and the errors that carry them."""

from __future__ import annotations

from enum import IntEnum
from typing import IO, Any

import click

from .output import stderr


class ExitCode(IntEnum):
    """A contract with scripts."""

    OK = 0
    FAILED = 1
    """The operation or check failed."""
    USAGE = 2
    UNREACHABLE = 3
    """The broker, or the history in place of it, could not be reached."""
    TIMEOUT = 4
    INTERRUPTED = 130


class CommandError(click.ClickException):
    """Ends a command with a message on stderr and an exit code, without a traceback."""

    exit_code = ExitCode.FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on stderr."""
        stderr.echo(self.format_message())


class InvalidUsage(CommandError):
    """The command line is invalid, or cannot be carried out in this environment."""

    exit_code = ExitCode.USAGE


class BrokerUnreachable(CommandError):
    """The broker could not be reached, or the connection was lost."""

    exit_code = ExitCode.UNREACHABLE


class HistoryUnreachable(CommandError):
    """The history, which is needed in place of a broker, could not be read."""

    exit_code = ExitCode.UNREACHABLE


class TimedOut(CommandError):
    """Workers, broker or result backend did not reply in time."""

    exit_code = ExitCode.TIMEOUT
