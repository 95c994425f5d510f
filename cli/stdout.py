"""stdout, or the file given instead of it: data and nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from ..files import replace_file
from .exit_codes import CommandError, InvalidUsage

DEFAULT_SIZE: Final = (120, 24)
"""Columns and rows without a terminal."""


def output_width() -> int:
    """Return the width of the terminal in cells."""
    return shutil.get_terminal_size(DEFAULT_SIZE).columns


def write(data: bytes, file: Path | None = None) -> None:
    """Write to stdout, or replace a file atomically.

    A closed pipe (`celtop ... | head`) is not an error.

    Raises:
        InvalidUsage: The file cannot be written.
        CommandError: stdout cannot be written.
    """
    if file is not None:
        try:
            replace_file(file, data)
        except OSError as error:
            raise InvalidUsage(f"Cannot write {file}: {error.strerror}") from error
        return
    if sys.stdout is None:
        raise CommandError("Cannot write to stdout: it is closed")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        discard_stdout()
    except OSError as error:
        raise unwritable_stdout(error) from error


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
