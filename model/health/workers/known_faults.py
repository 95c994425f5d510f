"""Known faults of the Celery versions that workers run, from a table.

Workers report their Celery version with each heartbeat (`sw_ver`). Those of kombu and redis-py are
unknown, so that a fault in kombu is one that a worker of that Celery version may have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

from ...entities.broker import BrokerFamily
from ...state import ClusterState
from ...text.phrases import named
from ..finding import Finding, Severity

Version: TypeAlias = tuple[int, ...]


class KnownFault(msgspec.Struct, frozen=True):
    """A fault of some Celery versions."""

    code: str
    """That of the finding."""
    since: Version
    """The first version with the fault."""
    fixed: Version
    """The first version without it."""
    severity: Severity
    text: str
    """The fault in words, without a full stop."""
    next_step: str
    links: tuple[str, ...] = ()
    """The upstream issues, such as `celery#8030`."""
    broker: BrokerFamily | None = None
    """The broker with which it occurs; None for all."""
    unless: str = ""
    """Which version of another package does not have the fault."""


KNOWN_FAULTS: Final = (
    KnownFault(
        "fault-revoke-overwrites-results",
        (5, 6, 2),
        (5, 7),
        "warning",
        "a revoke overwrites the result of a task that has failed, and marks a running task as "
        "REVOKED in the result backend although it goes on",
        "Upgrade Celery to 5.7, and revoke only tasks that have not started",
    ),
    KnownFault(
        "fault-reconnect-stops-consuming",
        (4, 0),
        (5, 5),
        "warning",
        "after a reconnect to Redis, workers may stop consuming without an error",
        "Upgrade kombu to 5.4 or later, preferably with Celery 5.5",
        ("celery#8030", "celery#8384", "kombu#2007"),
        "redis",
        "kombu is 5.4 or later",
    ),
    KnownFault(
        "fault-broker-restart-crash",
        (5, 6, 2),
        (5, 7),
        "warning",
        "a restart of the broker may end a worker with KeyError(fd)",
        "Upgrade Celery and kombu to 5.7",
        ("kombu#2582", "kombu#2561", "kombu#2592"),
        unless="kombu is 5.7 or later",
    ),
    KnownFault(
        "fault-half-open-connection",
        (4, 0),
        (5, 7),
        "info",
        "a worker whose connection to Redis was cut without a notice (firewall, failover) stops "
        "replying to remote control until it is restarted",
        "Upgrade Celery and kombu to 5.7",
        ("celery#10502", "kombu#2590"),
        "redis",
        "kombu is 5.7 or later",
    ),
)
"""The faults that an operator may have to act on, and that an upgrade ends."""

_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")


def known_fault_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for each known fault, with the present workers whose version has it."""
    versions: dict[str, list[str]] = {}
    for name in state.present_workers(now):
        version = state.workers[name].software_version
        if version is not None:
            versions.setdefault(version, []).append(name)
    parsed = {text: number for text in versions if (number := parse_version(text)) is not None}
    for fault in KNOWN_FAULTS:
        if fault.broker is not None and fault.broker != state.broker.family:
            continue
        found = sorted(
            text for text, number in parsed.items() if fault.since <= number < fault.fixed
        )
        if found:
            yield _finding(fault, found, sorted(name for text in found for name in versions[text]))


def parse_version(text: str) -> Version | None:
    """Return `(5, 6, 3)` for `5.6.3`, without the suffix of a pre-release; None if it has none."""
    match = _VERSION.match(text)
    return None if match is None else tuple(int(part or 0) for part in match.groups())


def _finding(fault: KnownFault, versions: list[str], workers: list[str]) -> Finding:
    links = f"; {', '.join(fault.links)}" if fault.links else ""
    unless = f", unless {fault.unless}" if fault.unless else ""
    return Finding(
        fault.code,
        fault.severity,
        "workers",
        f"{fault.text}{unless} (Celery {named(versions)} on {named(workers)}{links})",
        next_step=fault.next_step,
        evidence={
            "versions": versions,
            "workers": workers,
            "links": [_url(link) for link in fault.links],
        },
    )


def _url(link: str) -> str:
    project, _, number = link.partition("#")
    return f"https://github.com/celery/{project}/issues/{number}"
