"""stdout, or the file given instead of it: data and nothing else."""

from __future__ import annotations

import os
import select
import shutil
import sys
from pathlib import Path
from typing import Final

from ...files.files import replace_file
from ..exit_codes import CommandError, InvalidUsage

DEFAULT_SIZE: Final = (120, 24)
"""Columns and rows without a terminal."""


def output_size() -> os.terminal_size:
    """Return the columns and lines of the terminal."""
    return shutil.get_terminal_size(DEFAULT_SIZE)


def is_terminal() -> bool:
    """Return whether stdout is a terminal that can draw over its lines."""
    has_cursor = os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    return sys.stdout is not None and sys.stdout.isatty() and has_cursor


def has_colours() -> bool:
    """Return whether stdout is a terminal whose user wants colours (https://no-color.org)."""
    return is_terminal() and not os.environ.get("NO_COLOR")


def is_utf8() -> bool:
    """Return whether stdout is read as UTF-8."""
    return sys.stdout is not None and "utf" in (sys.stdout.encoding or "").lower()


def is_abandoned() -> bool:
    """Return whether stdout is a pipe that nothing reads any longer, without writing to it."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(state & select.POLLERR for _, state in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # closed, or replaced by something without one
        return False


def write(data: bytes, file: Path | None = None) -> bool:
    """Write to stdout, or replace a file atomically; return whether more can be written.

    A closed pipe (`celtop ... | head`) is not an error: nothing reads the rest.

    Raises:
        InvalidUsage: The file cannot be written.
        CommandError: stdout cannot be written.
    """
    if file is not None and not _is_stdout(file):
        try:
            replace_file(file, data)
        except OSError as error:
            raise InvalidUsage(f"Cannot write {file}: {error.strerror}") from error
        return True
    if sys.stdout is None:
        raise CommandError("Cannot write to stdout: it is closed")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        discard_stdout()
        return False
    except OSError as error:
        raise unwritable_stdout(error) from error
    return True


def _is_stdout(file: Path) -> bool:
    """Return whether a file is the one that stdout writes to: `-`, `/dev/stdout`, ..."""
    if file == Path("-"):
        return True
    try:
        return os.path.samestat(file.stat(), os.fstat(sys.stdout.fileno()))
    except (AttributeError, OSError, ValueError):  # stdout is closed, or there is no such file yet
        return False


def unwritable_stdout(error: OSError) -> CommandError:
    """Return the error that ends a command whose output cannot be written."""
    discard_stdout()
    return CommandError(f"Cannot write to stdout: {error.strerror}")


def discard_stdout() -> None:
    """Keep Python from flushing stdout once more at exit, which would print an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_lines(lines: list[str]) -> None:
    """Write lines of text to stdout; lone surrogates are escaped."""
    write("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))
