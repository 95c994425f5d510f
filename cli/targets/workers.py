"""The workers that a command addresses, by --worker or --all; resolved before confirmation."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import click

from ...model.text.sanitize import visible
from ..exit_codes import BrokerUnreachable, InvalidUsage, TimedOut
from ..output import stderr
from ..session import pump_until

if TYPE_CHECKING:
    from ...cluster.connection.mailboxes import Mailboxes
    from ...cluster.session import Session

FLAGS: Final = ("-w", "--worker", "-d", "--destination")
"""celtop's names and those of `celery control`."""
WORKER_HELP: Final = "a full name, a short name or a pattern (w1@host, w1, 'geo*'); repeatable."
MAX_NAMES_LISTED: Final = 10
NAMESAKES_TIMEOUT: Final = 6.0
"""Seconds for the heartbeats of workers that share a name to alternate."""


def worker_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --worker and --all to a command, which gets `patterns`: empty for all workers.

    Raises:
        InvalidUsage: Neither is given, or both are.
    """

    @click.option(
        *FLAGS, "worker", multiple=True, metavar="NAME", help=f"Send to this worker: {WORKER_HELP}"
    )
    @click.option("--all", "everyone", is_flag=True, help="Send to all workers.")
    @functools.wraps(function)
    def command(
        *arguments: object, worker: tuple[str, ...], everyone: bool, **others: object
    ) -> Any:
        if everyone == bool(worker):
            raise InvalidUsage("Pass --worker NAME (repeatable) or --all")
        return function(*arguments, patterns=_checked(worker), **others)

    return command


def optional_worker_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --worker to a harmless command, which gets `patterns`: empty for all workers."""
    return click.option(
        *FLAGS, "patterns", multiple=True, metavar="NAME",
        callback=lambda ctx, option, value: _checked(value),
        help=f"Send only to this worker: {WORKER_HELP}",
    )(function)  # fmt: skip


def _checked(names: tuple[str, ...]) -> tuple[str, ...]:
    if "" in names or any("" in name.split(",") for name in names):
        # `-w "$NAME"` with NAME unset: without a name it would address all workers.
        raise InvalidUsage("--worker must not be empty")
    return names


def resolve_workers(session: Session, patterns: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the workers that match the patterns, sorted; of all without patterns.

    Each is a name as it stands if a worker has it, else one or more patterns separated by commas.

    A worker that did not reply counts if it still consumes its mailbox on the broker: busy in a
    solo pool, it will receive the command later. A full name is taken as it is, known or not.

    Raises:
        TimedOut: No worker replied.
        BrokerUnreachable: The broker accepts no messages.
        InvalidUsage: A pattern matches none of the known workers.
    """
    replied = session.state.present_workers(time.time())
    silent, warning = _silent_workers(session, replied)
    known = tuple(sorted((*replied, *silent)))
    if not patterns:
        if warning:
            stderr.echo_line(warning)
        if not known:
            broker = session.state.broker
            if broker.fault is not None:
                raise BrokerUnreachable(f"Cannot reach any worker: {broker.fault}")
            if (fault := session.state.fact("workers").fault) is not None:
                raise TimedOut(f"Cannot query the workers: {fault}")
            raise TimedOut("No worker replied. Are the workers running, and on this broker?")
        return known
    return tuple(sorted({name for pattern in patterns for name in _matching(pattern, known)}))


def _matching(patterns: str, known: tuple[str, ...]) -> list[str]:
    return _having_name(patterns, known) or [
        name for pattern in patterns.split(",") for name in _matching_pattern(pattern, known)
    ]


def _having_name(name: str, known: tuple[str, ...]) -> list[str]:
    """Return the workers with a full or short name: it may contain commas and brackets."""
    if name in known:
        return [name]
    return [one for one in known if _short(one) == name]


def _matching_pattern(pattern: str, known: tuple[str, ...]) -> list[str]:
    matching = _having_name(pattern, known) or [one for one in known if _matches(pattern, one)]
    if not matching and _is_full_name(pattern):
        return [pattern]
    if not matching and not known:
        raise TimedOut(f"No worker replied, so none matches {pattern}")
    if not matching:
        raise InvalidUsage(f"No worker matches {pattern}; known workers: {', '.join(known)}")
    return matching


def read_mailboxes(session: Session) -> Mailboxes | None:
    """Return the mailboxes of workers, which also those have that are too busy to reply.

    None if the broker does not list them.
    """
    from ...cluster.connection.mailboxes import mailboxes

    try:
        return mailboxes(session.settings)
    except Exception:
        # Optional information: the command itself reports what is wrong with the broker.
        return None


def _silent_workers(session: Session, replied: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the live workers that did not reply, and a warning about them.

    Workers that died leave their mailboxes behind. If there are more mailboxes than consumers, it
    is unknown which of the silent workers are alive, and none is returned.
    """
    found = read_mailboxes(session)
    if found is None:
        return (), ""
    silent = tuple(sorted(found.names - set(replied)))
    alive = found.count_silent(replied)
    if alive > 0 and not silent:
        _wait_for_namesakes(session)
    if not alive or not silent:
        return (), ""
    names = visible(", ".join(silent[:MAX_NAMES_LISTED]))
    names += ", ..." if silent[MAX_NAMES_LISTED:] else ""
    if alive >= len(silent):
        return silent, f"{names}: no reply, but connected; possibly busy in a solo pool"
    return (), (
        f"{alive:,} of these workers did not reply but will receive the command, possibly busy in"
        f" a solo pool; the others are dead: {names}"
    )


def _wait_for_namesakes(session: Session) -> None:
    """Wait until it is known which workers share a name: more are connected than names."""
    workers = session.state.workers
    pump_until(
        session,
        NAMESAKES_TIMEOUT,
        lambda: any(worker.shares_name for worker in workers.values()),
    )


def _matches(pattern: str, name: str) -> bool:
    part = name if "@" in pattern else _short(name)
    # Brackets may be a set of characters, or part of the name.
    return fnmatchcase(part, pattern) or fnmatchcase(part, pattern.replace("[", "[[]"))


def _short(name: str) -> str:
    return name.split("@", 1)[0]


def _is_full_name(pattern: str) -> bool:
    return "@" in pattern and not any(sign in pattern for sign in "*?[")
