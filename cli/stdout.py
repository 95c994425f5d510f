"""stdout, or the file that stands for it: data, and nothing but data."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..files import replace_file
from .exit_codes import Misuse


def write(data: bytes, file: Path | None = None) -> None:
    """Write to stdout, or to a file, which holds either its old content or all of the new.

    A reader that has seen enough (`celtop ... | head`) is no error.

    Raises:
        Misuse: The file cannot be written.
    """
    if file is not None:
        try:
            replace_file(file, data)
        except OSError as error:
            raise Misuse(f"cannot write {file}: {error.strerror}") from error
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at its exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
