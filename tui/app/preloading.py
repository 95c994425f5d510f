"""Imports in the background what keys and commands open, so that none waits for it."""

from __future__ import annotations

import asyncio
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Final

from .. import commands, dialogs, operations, output, pages, screens

DELAY: Final = 1.0
"""Seconds after the first screen, in which the session connects and its first data are shown."""
PAUSE: Final = 0.05
"""Seconds between two modules, in which keys and events are looked at."""


async def preload() -> None:
    """Import one module after the other, each in a thread; those that are imported cost nothing."""
    await asyncio.sleep(DELAY)
    for name in _modules():
        await asyncio.to_thread(import_module, name)
        await asyncio.sleep(PAUSE)


def _modules() -> Iterator[str]:
    for package in (screens, pages, dialogs, operations, commands, output):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield found.name
    yield "plotext"  # for curves
