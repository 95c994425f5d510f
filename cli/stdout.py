"""stdout, or the file that stands for it: data, and nothing but data."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .exit_codes import Misuse


def write(data: bytes, file: Path | None = None) -> None:
    """Write to stdout, or to a file, which holds either its old content or all of the new.

    A reader that has seen enough (`celtop ... | head`) is no error.

    Raises:
        Misuse: The file cannot be written.
    """
    if file is not None:
        _replace(file, data)
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at its exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _replace(file: Path, data: bytes) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        if file.exists() and not file.is_file():
            file.write_bytes(data)  # a device or a named pipe: there is nothing to replace
            return
        part.write_bytes(data)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Misuse(f"cannot write {file}: {error.strerror}") from error
