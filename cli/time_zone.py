"""The local time zone, which loading a Django project changes for the whole process."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

_INITIAL_ENVIRONMENT: Final = Path("/proc/self/environ")


def restore_time_zone() -> None:
    """Set the time zone that the process was started with.

    Django sets `TZ` to the project's `TIME_ZONE`. `celtop -A` loads the project in another process,
    and `celery top` in this one: both show the times of the terminal's user.
    """
    if "django" not in sys.modules:
        return
    initial = _initial_zone()
    if initial is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = initial
    if hasattr(time, "tzset"):
        time.tzset()


def _initial_zone() -> str | None:
    """Return the `TZ` that the process was started with, which only Linux keeps; None if unset."""
    try:
        entries = _INITIAL_ENVIRONMENT.read_bytes().split(b"\0")
    except OSError:
        return None
    zones = (entry.removeprefix(b"TZ=") for entry in entries if entry.startswith(b"TZ="))
    zone = next(zones, None)
    return None if zone is None else os.fsdecode(zone)
