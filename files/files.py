"""The folders that celtop keeps its own files in, and how it reads and replaces files."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

APP_NAME: Final = "celtop"
OWNER_ONLY: Final = 0o600
MAX_INPUT_BYTES: Final = 64 << 20
"""Larger input is refused: a device may never end."""
PIPE_TIMEOUT: Final = 5.0
"""Seconds for the writer of a named pipe to send something."""


def config_folder() -> Path:
    """Return the folder of what users may edit, on Linux `$XDG_CONFIG_HOME/celtop`."""
    from platformdirs import user_config_path

    return user_config_path(APP_NAME, appauthor=False)


def config_file() -> Path:
    """Return the default config file, on Linux `$XDG_CONFIG_HOME/celtop/config.toml`."""
    return config_folder() / "config.toml"


def themes_folder() -> Path:
    """Return the folder of the user's themes: `NAME.toml` with the fields of Textual's `Theme`."""
    return config_folder() / "themes"


def state_folder() -> Path:
    """Return the folder for what one run leaves for the next, on Linux `$XDG_STATE_HOME/celtop`."""
    from platformdirs import user_state_path

    return user_state_path(APP_NAME, appauthor=False)


def read_file(path: Path, limit: int = MAX_INPUT_BYTES) -> bytes:
    """Return a file's content; a pipe, such as the shell's `<(...)`, is read to its end.

    Raises:
        OSError: It cannot be read, has more than `limit` bytes, or is a pipe that nothing writes
            to.
    """
    # Opening a named pipe would otherwise wait for a writer forever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    content = bytearray()
    try:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        while len(content) <= limit:
            if not select.select([handle], [], [], PIPE_TIMEOUT)[0]:
                raise OSError(errno.ETIMEDOUT, f"no data within {PIPE_TIMEOUT:g} s")
            part = os.read(handle, 1 << 20)
            if not part:
                return bytes(content)
            content += part
    finally:
        os.close(handle)
    raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other celtops from changing files of a folder between reading and replacing them."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file in one step: a reader finds the old content or all of the new, never a part.

    The file is readable by its owner only, regardless of the permissions of an existing one. A
    device or a named pipe that is being read is written to. A link, as into a repository of the
    user's settings, stays a link: its target is replaced.

    Raises:
        OSError: The file cannot be written; the old one is unchanged.
    """
    if path.exists() and not path.is_file():
        # Opening a named pipe that nothing reads would otherwise wait forever.
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(handle, True)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return
    path = _target(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)
        # In a folder of others, the name may have become a link by now.
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _target(path: Path) -> Path:
    """Return the file that a path leads to; a link of another user, as in /tmp, is not followed."""
    if path.is_symlink() and path.lstat().st_uid in (0, os.geteuid()):
        return Path(os.path.realpath(path))
    return path
