"""The tasks that a command addresses: ids, a filter or a workflow, resolved before confirmation.

A filter finds known tasks only: those held by workers, those waiting in queues that can be read,
and those reported by events while the command listens.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from ...model.text.phrases import counted
from ..arguments import STDIN, read_stdin
from ..exit_codes import CommandError, InvalidUsage
from ..output import stderr
from ..session import listen, peek, pump_until, wait_for_replies

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ...cluster.session import Session
    from ...model.confirm.targets import Selection
    from ...model.entities.task import Task
    from ...model.observations import HistorySearched, QueuePeeked
    from ...model.query.language import Query
    from ...settings import Settings

MAX_PEEKED_MESSAGES: Final = 100_000
"""Messages of one queue that a filter searches."""
HISTORY_TIMEOUT: Final = 40.0
"""Seconds for the finished tasks; an app that reads its own results may take long to load."""
MAX_FINISHED: Final = 50_000
"""Finished tasks that a filter loads."""
SEARCH_TIMEOUT: Final = 30.0
"""Seconds after which a search for finished tasks ends with what it has found."""
MAX_VERIFIED_IDS: Final = 100
"""Ids that are looked up in the result backend, to leave out finished tasks."""
VERIFY_TIMEOUT: Final = 3.0
"""Seconds for that: a backend that is down must not keep a task from being revoked."""
EXTENDED: Final = frozenset({"name", "args", "kwargs", "queue", "worker"})
"""Fields that only results with result_extended have."""
MAX_IDS_LISTED: Final = 20
"""Skipped ids that are listed one by one; more are counted by reason."""


def read_ids(words: Sequence[str]) -> tuple[str, ...]:
    """Return the given ids without duplicates; `-` stands for the ids on stdin.

    Raises:
        InvalidUsage: stdin has none.
    """
    ids: list[str] = []
    for word in words:
        if word != STDIN:
            ids.append(word)
            continue
        found = read_stdin().split()
        if not found:
            raise InvalidUsage("No task ids on stdin")
        ids += found
    return tuple(dict.fromkeys(ids))


def read_filter(text: str, settings: Settings, option: str = "--filter") -> Query:
    """Return a filter whose every term is understood: without one it would match more tasks.

    Raises:
        InvalidUsage: A term is unknown or has no value, or the filter is empty.
    """
    from ...model.query.language import parse_query, refusal

    query = parse_query(text, UTC if settings.timezone == "utc" else None)
    if (reason := refusal(query)) is not None:
        separator = " " if reason.startswith("term") else ": "
        raise InvalidUsage(f"Invalid {option}{separator}{reason}")
    return query


def read_definite_filter(text: str, settings: Settings) -> Query:
    """Return the filter of an operation: it leaves out tasks if an unknown value decides.

    Raises:
        InvalidUsage: As `read_filter`.
    """
    from ...model.query.definite import definite, left_out

    query = read_filter(text, settings)
    if (unknown := left_out(query)) is not None:
        stderr.echo_line(unknown)
    return definite(query)


def discover_tasks(session: Session, seconds: float, finished: Query | None = None) -> None:
    """Add all tasks that can be found to the model, after `seconds` of listening to events.

    Args:
        session: A connected session.
        seconds: How long to listen.
        finished: A filter by which to search the finished tasks in the result backend.
    """
    from ...model.confirm.targets import known_queues

    notes: set[str] = set()
    for queue in known_queues(session.state):
        peeked = peek(session, queue, MAX_PEEKED_MESSAGES)
        notes.update(peek_notes(peeked))
        if not peeked.complete and not peeked.notes:
            notes.add(f"Searched only the first {len(peeked.messages):,} messages of {queue}")
    for note in sorted(notes):
        stderr.echo_line(note)
    listen(session, seconds)
    if finished is not None:
        search_history(session, finished)
    # Workers last: a message that a worker took from its queue meanwhile is then known to be there.
    session.refresh()
    wait_for_replies(session)


def search_history(
    session: Session, query: Query, limit: int = MAX_FINISHED
) -> HistorySearched | None:
    """Load the finished tasks that match a filter from the result backend.

    What may be missing is reported on stderr. None if nothing was searched.
    """
    # The newest are loaded by then, so the workers have named the backend.
    if not pump_until(session, HISTORY_TIMEOUT, lambda: session.history_loaded):
        stderr.echo(f"Finished tasks were not loaded within {HISTORY_TIMEOUT:g} s")
        return None
    if not session.settings.load_results:
        return None
    searching = session.lookups.search_history(query, limit=limit, timeout=SEARCH_TIMEOUT)
    if not pump_until(session, HISTORY_TIMEOUT, searching.done):
        stderr.echo(f"The search for finished tasks did not end within {HISTORY_TIMEOUT:g} s")
        return None
    pump_until(session, HISTORY_TIMEOUT, lambda: not session.backlog)
    if (error := searching.exception()) is not None:
        stderr.echo(f"Cannot search for finished tasks: {error}")
        return None
    found = searching.result()
    if found.incomplete:
        stderr.echo(f"Finished tasks in the result backend: {found.text}")
    return found


def report_unknown_states(session: Session, query: Query) -> None:
    """Report on stderr the states of a filter that no task has."""
    from ...model.query.unknown_states import unknown_states

    for problem in unknown_states(query, session.state.totals.by_state):
        stderr.echo(f"Filter: {problem.message}")


def peek_notes(peeked: QueuePeeked) -> tuple[str, ...]:
    """Return what to report about a peek into a queue; some brokers do not support it."""
    if peeked.messages or peeked.complete:
        return peeked.notes
    return tuple(f"Messages waiting in queues are unknown: {note}" for note in peeked.notes)


def matching_tasks(session: Session, query: Query) -> list[Task]:
    """Return the known tasks that match a filter, in order of arrival.

    States that no task has are reported on stderr, and tasks that could not be compared.
    """
    from ...model.entities.clock_skew import Moment
    from ...model.query.definite import undecided

    report_unknown_states(session, query)
    tasks, now = session.state.tasks.values(), Moment(time.time(), session.state.skews)
    for field, number in undecided(query, tasks, now).items():
        stored = "; for tasks to come, set result_extended = True" if field in EXTENDED else ""
        unknown = f"{counted(number, 'task')} whose {field} is unknown"
        stderr.echo(f"Could not compare {unknown}. Pass their ids instead of a filter{stored}")
    return [task for task in tasks if query.matches(task, now)]


def workflow_tasks(session: Session, id_: str) -> list[Task]:
    """Return the known tasks of a workflow, given its root id, a group id or any task id.

    Raises:
        CommandError: None is known.
    """
    from ...model.confirm.targets import workflow

    tasks = session.state.tasks
    found = {
        task.id: task for task in tasks.values() if id_ in (task.id, task.root_id, task.group_id)
    }
    if (task := tasks.get(id_)) is not None:
        found |= {one.id: one for one in workflow(session.state, task)}
    if not found:
        raise CommandError(f"Unknown workflow {id_}; check the id")
    return list(found.values())


def selected_ids(selection: Selection, none_found: str) -> tuple[str, ...]:
    """Return the ids of a selection; the number of skipped tasks is reported with the reasons.

    Raises:
        CommandError: All were skipped; `none_found` is the message.
    """
    _report_skipped(reason for _, reason in selection.skipped)
    if not selection.kept:
        raise CommandError(none_found)
    return tuple(task.id for task in selection.kept)


def eligible_ids(
    session: Session, ids: Sequence[str], choose: Callable[[Iterable[Task]], Selection]
) -> tuple[str, ...]:
    """Return the given ids without those known to be ineligible, which are reported.

    Raises:
        CommandError: None is left.
    """
    tasks = session.state.tasks
    skipped = {
        task.id: reason
        for task, reason in choose(tasks[id_] for id_ in ids if id_ in tasks).skipped
    }
    skipped |= _finished(session, [id_ for id_ in ids if id_ not in tasks])
    if len(skipped) <= MAX_IDS_LISTED:
        for id_, reason in skipped.items():
            stderr.echo(f"Skipped {id_}: {reason}")
    else:
        _report_skipped(skipped.values())
    rest = tuple(id_ for id_ in ids if id_ not in skipped)
    if not rest:
        raise CommandError("No task left to revoke")
    return rest


def _report_skipped(reasons: Iterable[str]) -> None:
    for reason, number in Counter(reasons).most_common():
        stderr.echo(f"Skipped {counted(number, 'task')}: {reason}")


def _finished(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return those of a few ids whose task has finished by the result backend, with the reason.

    Workers before Celery 5.7 overwrite the result of a finished task with REVOKED. A state of
    REVOKED itself does not count as finished: it is stored at once, while the message still waits.
    """
    from ...model.entities.states import REVOKED

    if not 0 < len(ids) <= MAX_VERIFIED_IDS:
        return {}
    lookups: dict[str, Future[Any]] = {id_: session.lookups.result(id_) for id_ in ids}
    pump_until(session, VERIFY_TIMEOUT, lambda: all(one.done() for one in lookups.values()))
    results = {
        id_: one.result() for id_, one in lookups.items() if one.done() and one.exception() is None
    }
    return {
        id_: f"already finished ({meta.status})"
        for id_, meta in results.items()
        if meta is not None and meta.ready and meta.status != REVOKED
    }
