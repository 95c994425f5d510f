"""The terminal that we run in: whether it is still there, and what its locale can show."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Final

HUNG_UP: Final = 128 + signal.SIGHUP


def is_gone(descriptor: int) -> bool:
    """Tell whether the terminal has vanished.

    The hang-up signal does not always come (`nohup`, `sudo su`), and Textual would then spin for
    ever on a descriptor that is always readable.
    """
    try:
        os.ttyname(descriptor)
    except OSError:
        return True
    return False


def speaks_unicode(environ: Mapping[str, str]) -> bool:
    """Tell whether the locale's characters include the glyphs that we like to draw."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    _, _, encoding = locale.partition(".")
    return encoding.partition("@")[0].lower().replace("-", "") == "utf8"


def on_end_signals(act: Callable[[int], None]) -> None:
    """Call `act` with the exit code on SIGTERM and SIGHUP, inside the running event loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, act, 128 + number)


def end_process_after(seconds: float, code: int) -> None:
    """Make sure that the process ends, though a write to a dead terminal may block for ever."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()
