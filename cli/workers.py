"""Which workers a command addresses: `--worker NAME` or `--all`, frozen before anybody is asked."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import click

from ..model.text.sanitize import visible
from . import stderr
from .exit_codes import ExitCode, Failure, Misuse

if TYPE_CHECKING:
    from ..cluster.session import Session

FLAGS: Final = ("-w", "--worker", "-d", "--destination")
"""Ours, and those of `celery control`."""
SILENT_NAMED: Final = 10


class NobodyThere(Failure):
    """No worker has answered, and none was heard."""

    exit_code = ExitCode.TIMEOUT


def addressed(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that say which workers, as `patterns`: none of them is all.

    Raises:
        Misuse: Neither is given, or both are.
    """

    @functools.wraps(function)
    def command(
        *arguments: object, worker: tuple[str, ...], everyone: bool, **others: object
    ) -> int:
        if everyone == bool(worker):
            raise Misuse("say which workers: --worker NAME, as often as needed, or --all")
        return function(*arguments, patterns=_divided(worker), **others)

    command = click.option("--all", "everyone", is_flag=True, help="All workers that are there.")(
        command
    )
    return click.option(
        *FLAGS, "worker", multiple=True, metavar="NAME",
        help="A worker: `w1@host`, `w1` or a pattern, `geo*@*`; repeated, or divided by commas,"
        " for several.",
    )(command)  # fmt: skip


def optionally_addressed(function: Callable[..., int]) -> Callable[..., int]:
    """Give a harmless command `--worker`, as `patterns`: none of them is all."""
    return click.option(
        *FLAGS, "patterns", multiple=True, metavar="NAME",
        callback=lambda ctx, option, value: _divided(value),
        help="Only this worker: `w1@host`, `w1` or a pattern; repeated, or divided by commas, for"
        " several.",
    )(function)  # fmt: skip


def _divided(names: Sequence[str]) -> tuple[str, ...]:
    parts = tuple(part for name in names for part in name.split(","))
    if "" in parts:
        # `-w "$NAME"` where that is not set: no name at all would mean everyone.
        raise Misuse("--worker wants a name")
    return parts


def workers(session: Session, patterns: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the workers that patterns mean, sorted; without any, of all.

    A worker that has not answered counts if it has a mailbox on the broker and is known to live:
    busy in a solo pool, it will hear what it is told when it is free. A whole name is taken as it
    is, though nothing was heard of it.

    Raises:
        NobodyThere: No worker has answered.
        Misuse: A pattern means none of those that are there.
    """
    there = session.state.present_workers(time.time())
    quiet, told = _quiet(session, there)
    if not patterns:
        if told:
            stderr.say(told)
        there = tuple(sorted((*there, *quiet)))
        if not there:
            raise NobodyThere("no worker answers, and none was heard: there is nobody to tell")
        return there
    return tuple(sorted({name for one in patterns for name in _meant(one, (*there, *quiet))}))


def _meant(pattern: str, there: tuple[str, ...]) -> list[str]:
    matching = [name for name in there if _means(pattern, name)]
    if not matching and _whole(pattern):
        matching = [pattern]
    if not matching:
        if not there:
            raise NobodyThere(f"no worker answers: nobody is there to be called {pattern}")
        raise Misuse(f"no worker is called {pattern}; there are {', '.join(sorted(there))}")
    return matching


def _quiet(session: Session, there: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the workers that live and say nothing, and what is to be told of them.

    If some have died and left their mailbox, it is not known which of all these are the living.
    """
    from ..cluster.connection.mailboxes import mailboxes

    try:
        found = mailboxes(session.settings)
    except Exception:
        # What it is asked for here is a bonus; the act itself tells what is wrong with the broker.
        return (), ""
    if found is None:
        return (), ""
    silent = tuple(sorted(found.names - set(there)))
    living = found.listening - len(found.names.intersection(there))
    if living <= 0 or not silent:
        return (), ""
    named = visible(", ".join(silent[:SILENT_NAMED])) + (", ..." if silent[SILENT_NAMED:] else "")
    if living >= len(silent):
        return silent, f"{named} did not answer, but listens: it may be busy in a solo pool"
    return (), (
        f"{living:,} more that did not answer will hear it and may be busy in a solo pool: one of"
        f" {named}; the others have died"
    )


def _means(pattern: str, name: str) -> bool:
    return fnmatchcase(name if "@" in pattern else name.split("@", 1)[0], pattern)


def _whole(pattern: str) -> bool:
    return "@" in pattern and not any(sign in pattern for sign in "*?[")
