"""The terminal: whether it still exists, what its locale can show, and its signals."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Final

HUNG_UP_EXIT_CODE: Final = 128 + signal.SIGHUP


def is_gone(descriptor: int) -> bool:
    """Return whether the terminal no longer exists.

    SIGHUP is not always delivered (`nohup`, `sudo su`); Textual would then spin on a descriptor
    that is always readable.
    """
    # Not by its name: in another mount namespace (`nsenter`, `chroot`) it has none.
    return not os.isatty(descriptor)


def supports_unicode(environ: Mapping[str, str]) -> bool:
    """Return whether the locale's encoding is UTF-8."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    _, _, encoding = locale.partition(".")
    return encoding.partition("@")[0].lower().replace("-", "") == "utf8"


def on_exit_signals(end: Callable[[int], None]) -> None:
    """Call `end` with the exit code on SIGTERM, SIGHUP and SIGQUIT, in the running event loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        loop.add_signal_handler(number, end, 128 + number)


def end_process_after(seconds: float, code: int) -> None:
    """End the process in any case: a write to a dead terminal may block forever."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()
