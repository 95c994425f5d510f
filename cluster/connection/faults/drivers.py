"""Finds the packages that kombu needs for a transport and that are not installed.

Some of kombu's transports are imported without their driver, and fail later with a NameError or an
AttributeError. kombu's own metadata lists the packages of each transport.
"""

from __future__ import annotations

import re
from importlib import metadata
from typing import Final

from ....model.entities.fault import Fault

DRIVER_ERRORS: Final = (ImportError, NameError, AttributeError)
"""The errors of a transport without its driver."""
_REQUIREMENT: Final = re.compile(r"\s*(?P<name>[A-Za-z0-9][\w.-]*)")


def missing_driver(scheme: str) -> Fault | None:
    """Return the fault of a transport whose packages are missing.

    None if they are installed, or if kombu does not list them.
    """
    extra = extra_of(scheme)
    marker = re.compile(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]")
    needed = [one for one in metadata.requires("kombu") or () if marker.search(one)]
    names = [match["name"] for one in needed if (match := _REQUIREMENT.match(one))]
    missing = [name for name in names if not _is_installed(name)]
    if not missing:
        return None
    return Fault(
        "driver",
        f"kombu needs the packages {', '.join(missing)} for {scheme}://"
        if missing[1:]
        else f"kombu needs the package {missing[0]} for {scheme}://",
        f"Install it in celtop's environment: pip install 'kombu[{extra}]'",
    )


def extra_of(scheme: str) -> str:
    """Return the extra of kombu for a transport, which is named after its module."""
    from kombu.transport import TRANSPORT_ALIASES

    path: str = TRANSPORT_ALIASES.get(scheme, "")
    return path.removeprefix("kombu.transport.").replace(":", ".").partition(".")[0].lower()


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
