"""A lock between processes; the kernel releases it when its holder ends, however that happens."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

_OWNER_ONLY: Final = 0o600


class FileLock:
    """A lock on a file, which is created for that and stays.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock unless another process has it; return whether it is held.

        Raises:
            OSError: The file cannot be created, or its file system has no locks.
        """
        if self._handle is not None and not self._is_replaced():
            return True
        self.release()
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return True

    def seize(self) -> bool:
        """Take the lock from a process that does nothing with it; return whether it is held.

        The file is replaced: its holder finds out when it asks for the lock again.

        Raises:
            OSError: The file cannot be replaced.
        """
        self.path.unlink(missing_ok=True)
        return self.acquire()

    def _is_replaced(self) -> bool:
        assert self._handle is not None
        try:
            return not os.path.samestat(os.fstat(self._handle), self.path.stat())
        except FileNotFoundError:
            return True

    def release(self) -> None:
        """Release the lock."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
