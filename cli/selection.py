"""Which tasks a command is about: ids, a filter, a workflow; frozen before anybody is asked.

A filter can only find what is known: what workers hold, what waits in queues that may be looked
into, and what was heard in the moment that the command listens.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..model.entities.states import REVOKED
from . import stderr
from .exit_codes import ExitCode, Failure, Misuse, Unreachable
from .session import ask_all, listen, pump_until

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.confirm.targets import Selection
    from ..model.entities.task import Task
    from ..model.observations import QueuePeeked
    from ..model.query.language import Query

LOOKED_AT: Final = 100_000
"""Messages of one queue that a filter looks at."""
ASKED_WITHIN: Final = 60.0
"""Seconds for the broker, or the result backend, to answer a long question."""
VERIFIED: Final = 100
"""Ids beyond which the result backend is not asked whether each has ended."""
VERIFIED_WITHIN: Final = 3.0
"""Seconds for it to answer: one that is away is no reason to keep a task from being revoked."""
NAMED: Final = 20
"""Ids that are named one by one when they are left out; of more it is only told how many."""
STDIN: Final = "-"

T = TypeVar("T")


class NothingFound(Failure):
    """There is no such task, or none to which it can be done."""

    exit_code = ExitCode.NO


class Unanswered(Failure):
    """What was asked was not answered in time."""

    exit_code = ExitCode.TIMEOUT


def read_ids(words: Sequence[str]) -> tuple[str, ...]:
    """Return the ids that were given, each once; `-` stands for those on stdin.

    Raises:
        Misuse: There are none on stdin.
    """
    ids: list[str] = []
    for word in words:
        if word != STDIN:
            ids.append(word)
            continue
        found = sys.stdin.read().split()
        if not found:
            raise Misuse("no ids came from stdin")
        ids += found
    return tuple(dict.fromkeys(ids))


def read_filter(text: str) -> Query:
    """Return a filter of which every term means something.

    Raises:
        Misuse: A term means nothing or lacks its value; without it the filter would mean more.
    """
    from ..model.query.language import parse

    query = parse(text)
    for problem in query.problems:
        raise Misuse(f"--filter: {text[problem.start : problem.end]}: {problem.message}")
    rest = list(text)
    for term in query.terms:
        rest[term.start : term.end] = " " * (term.end - term.start)
    if left_out := "".join(rest).split():
        raise Misuse(f"--filter: {left_out[0]}: its value is missing")
    if query.empty:
        raise Misuse("--filter: it is empty, which would mean every task; `id:*` says that")
    return query


def wait_for(session: Session, future: Future[T], what: str) -> T:
    """Return what was asked of the cluster, and apply what comes in meanwhile.

    Raises:
        Unanswered: It took too long.
        Unreachable: The broker was lost meanwhile.
        Failure: It could not be answered.
    """
    if not pump_until(session, ASKED_WITHIN, future.done):
        raise Unanswered(f"{what}: no answer within {ASKED_WITHIN:g} s")
    try:
        return future.result()
    except Exception as error:
        from ..settings import mask_url

        broker = session.state.broker
        lost = broker.phase != "live" and broker.fault is not None
        why = f"{what}: {broker.fault if lost else mask_url(str(error))}"
        raise (Unreachable(why) if lost else Failure(why)) from error


def look_around(session: Session, wait: float) -> None:
    """Fill the model with all tasks that can be known: look into queues, listen, ask workers."""
    from ..model.confirm.targets import known_queues

    notes: set[str] = set()
    for queue in known_queues(session.state):
        seen = wait_for(session, session.peek(queue, LOOKED_AT), f"the queue {queue}")
        notes.update(told(seen))
        if not seen.complete and not seen.notes:
            notes.add(f"only the first {len(seen.messages):,} messages of {queue} were looked at")
    for note in sorted(notes):
        stderr.say(note)
    listen(session, wait)
    # Workers last: what they took from a queue meanwhile is then known to be theirs.
    ask_all(session)


def told(seen: QueuePeeked) -> tuple[str, ...]:
    """Return what is to be said of a look into a queue; not being let is the broker's doing."""
    if seen.messages or seen.complete:
        return seen.notes
    return tuple(f"what waits in queues is not known: {note}" for note in seen.notes)


def matching(session: Session, query: Query) -> list[Task]:
    """Return the known tasks that pass a filter, in order of arrival."""
    now = time.time()
    return [task for task in session.state.tasks.values() if query.matches(task, now)]


def members(session: Session, id_: str) -> list[Task]:
    """Return the known tasks of a workflow, named by its root, its group or any of its tasks.

    Raises:
        NothingFound: Nothing is known of it.
    """
    from ..model.confirm.targets import workflow

    tasks = session.state.tasks
    found = {
        task.id: task for task in tasks.values() if id_ in (task.id, task.root_id, task.group_id)
    }
    if (task := tasks.get(id_)) is not None:
        found |= {one.id: one for one in workflow(session.state, task)}
    if not found:
        raise NothingFound(f"nothing is known of a workflow {id_}")
    return list(found.values())


def kept(selection: Selection, what: str) -> tuple[str, ...]:
    """Return the ids of a selection, and tell why the others are left out.

    Raises:
        NothingFound: Nothing is left.
    """
    _count(reason for _, reason in selection.skipped)
    if not selection.kept:
        raise NothingFound(f"no task {what}")
    return tuple(task.id for task in selection.kept)


def _count(reasons: Iterable[str]) -> None:
    for reason, number in Counter(reasons).most_common():
        stderr.say(f"left out {number:,}: {reason}")


def named(
    session: Session, ids: Sequence[str], choose: Callable[[Iterable[Task]], Selection]
) -> tuple[str, ...]:
    """Return those ids to which it can be done, as far as is known, and tell of the others.

    Raises:
        NothingFound: None is left.
    """
    tasks = session.state.tasks
    why = {
        task.id: reason
        for task, reason in choose(tasks[id_] for id_ in ids if id_ in tasks).skipped
    }
    why |= _ended(session, [id_ for id_ in ids if id_ not in tasks])
    if len(why) <= NAMED:
        for id_, reason in why.items():
            stderr.say(f"left out {id_}: {reason}")
    else:
        _count(why.values())
    rest = tuple(id_ for id_ in ids if id_ not in why)
    if not rest:
        raise NothingFound("no task is left to which it could be done")
    return rest


def _ended(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return which of a few ids the result backend knows to have ended, and how.

    Workers before 5.7 write REVOKED over whatever is there: the result of a task that has ended
    would be lost. REVOKED itself is no end: they write it at once, while the message still waits.
    """
    if not 0 < len(ids) <= VERIFIED:
        return {}
    asked: dict[str, Future[Any]] = {id_: session.result(id_) for id_ in ids}
    pump_until(session, VERIFIED_WITHIN, lambda: all(one.done() for one in asked.values()))
    found = {
        id_: one.result() for id_, one in asked.items() if one.done() and one.exception() is None
    }
    return {
        id_: f"has ended: {meta.status}"
        for id_, meta in found.items()
        if meta is not None and meta.ready and meta.status != REVOKED
    }
