"""Reads the history of a cluster for commands, also while its broker is not running."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from .exit_codes import BrokerUnreachable, ExitCode, HistoryUnreachable, InvalidUsage
from .output import stderr

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..history.rows import Cursor, TaskCount
    from ..history.store import HistoryStore
    from ..model.entities.task import Task
    from ..model.lookup import PlaceChecked, Sighting, TaskLookup
    from ..model.query.language import Query
    from ..settings import Settings

MAX_STORED: Final = 50_000
"""Stored tasks that a command loads."""
MAX_COUNT_SECONDS: Final = 2.0
"""Seconds in which the stored tasks that were not loaded are counted."""
MAX_PAGE: Final = 1_000
"""Stored tasks that are read at once."""


@contextmanager
def open_history(settings: Settings, *, needed: bool = False) -> Iterator[HistoryStore | None]:
    """Open the history; None if it is off, or has not been written yet.

    A history that was never written is an error if `--from-history` names it.

    Errors, of opening it and in the block, are reported on stderr, or raised if it is `needed`.

    Raises:
        HistoryUnreachable: It could not be read.
        InvalidUsage: There is none at the place that `--from-history` names.
    """
    from ..history.open import OFF, open_store
    from ..history.store import NoHistoryError, StoreError

    if settings.read_history == OFF:
        yield None
        return
    store: HistoryStore | None = None
    try:
        store = open_store(settings.read_history, read_only=True)
    except NoHistoryError as error:
        if settings.from_history is not None:
            if needed:
                raise InvalidUsage(str(error)) from error
            stderr.echo(str(error))
    except StoreError as error:
        if needed:
            raise HistoryUnreachable(str(error)) from error
        stderr.echo(str(error))
    try:
        yield store
    except StoreError as error:
        if needed:
            raise HistoryUnreachable(str(error)) from error
        stderr.echo(str(error))
    finally:
        if store is not None:
            store.close()


def is_stored(settings: Settings) -> bool:
    """Return whether the history has the cluster of the settings.

    Raises:
        HistoryUnreachable: Without a broker URL, the history is needed and could not be read.
        InvalidUsage: Then there is none, or no cluster is named, although the history is.
    """
    if not (settings.cluster or settings.broker_url):
        if settings.from_history is not None:
            raise _unnamed(settings)
        return False
    with open_history(settings, needed=not settings.broker_url) as store:
        if store is not None:
            cluster = settings.cluster or offline_session(settings).cluster
            known = [one.cluster for one in store.clusters()]
            if cluster in known:
                return True
            if settings.cluster:
                stderr.echo(
                    f"The history has no cluster {cluster!r}. It has: {', '.join(known) or 'none'}"
                )
    return False


def offline_session(settings: Settings) -> Session:
    """Return a session that is not started: its model has what is loaded from the history."""
    from ..cluster.session import Session

    return Session(settings)


def _unnamed(settings: Settings) -> InvalidUsage:
    """Return the error of a history without the name of one of its clusters."""
    names = "no cluster"
    with open_history(settings, needed=True) as store:
        if store is not None:
            names = ", ".join(one.cluster for one in store.clusters()) or names
    return InvalidUsage(f"Name the cluster with --cluster NAME. The history has: {names}")


def live_or_stored(
    settings: Settings,
    live: Callable[[], ExitCode],
    stored: Callable[[Session], object],
    *,
    types: bool = False,
) -> ExitCode:
    """Print a document of the cluster or, if its broker cannot be used, of its history.

    Args:
        settings: The settings; without a broker URL, the history has the cluster.
        live: Prints it, connected to the broker.
        stored: Prints it, given a session that has what the history recorded, but no tasks.
        types: Whether it needs the task types.

    Raises:
        BrokerUnreachable: The broker did not reply, and the history does not have the cluster.
    """
    ended = ExitCode.OK
    if settings.broker_url:
        try:
            return live()
        except BrokerUnreachable as error:
            if not is_stored(settings):
                raise
            stderr.echo(error.format_message())
            ended = ExitCode.UNREACHABLE
    session = offline_session(settings)
    source = load_recorded(session, types=types)
    stderr.echo(f"Not connected to a broker. This is from the {source}")
    stored(session)
    return ended


def refuse_gauges(format_name: str) -> None:
    """Refuse to write recorded values as gauges, which are of the present.

    Raises:
        InvalidUsage: The format is `prometheus`.
    """
    if format_name == "prometheus":
        raise InvalidUsage("Not connected to a broker: gauges of recorded values would be stale")


def load_recorded(session: Session, *, types: bool) -> str:
    """Fill the model with the recorded workers, queues and, if wanted, task types.

    Return when that was: `history, last written 3 s ago`.
    """
    from ..history.reading.recorded_cluster import recorded_cluster, recorded_observations
    from ..model.text.units import ago

    now = time.time()
    with open_history(session.settings) as store:
        recorded = None if store is None else recorded_cluster(store, session.cluster, types=types)
        if store is None or recorded is None:
            return "history"
        session.state.restore(recorded, recorded_observations(store, session.cluster), now)
        return f"history, last written {ago(recorded.at, now)}"
    return "history, cannot be read"


def load_stored(
    session: Session, query: Query, limit: int = MAX_STORED, *, searched: bool = True
) -> TaskCount | None:
    """Add the stored tasks that match a filter to the model, at least the `limit` newest ones.

    Returns how many more of them are stored; None if the history cannot be read.

    Args:
        session: The session whose model gets them.
        query: The filter.
        limit: How many of the newest ones are needed.
        searched: Whether they were chosen by the filter: then the run times of their types follow
            from others.

    The history is ordered by when tasks ended, a list by when they were first seen. Unfinished
    tasks of the history are left out: their end was not recorded.
    """
    from ..history.rows import TaskCount
    from ..history.task_body import task_of
    from ..model.entities.task import first_seen_at
    from ..model.observations import HistoryRead

    now = time.time()
    rest, before, seen = MAX_STORED, None, list[float]()
    with open_history(session.settings) as store:
        while store is not None and limit > 0 and rest > 0:
            page = store.tasks(session.cluster, query, now, min(rest, MAX_PAGE), before)
            tasks = tuple(task for row in page.tasks if (task := task_of(row)) is not None)
            session.state.observe(HistoryRead(tasks, now, wanted=searched))
            known = session.state.tasks
            seen += [first_seen_at(one) or 0.0 for one in tasks if one.id in known]
            rest, before = rest - len(page.tasks), page.cursor
            # A task of a further page ended before the cursor, so it was first seen before it, too.
            if before is None or sum(at >= before.at for at in seen) >= limit:
                break
        if store is None:
            return None
        if before is None:
            return TaskCount(0, True)
        others = _count(store, session.cluster, query, now, before)
        if others.matching:
            loaded = MAX_STORED - rest
            total = f"{'' if others.exact else 'at least '}{loaded + others.matching:,}"
            stderr.echo(f"Tasks in the history: {loaded:,} of {total} loaded")
        return others
    return None


def _count(
    store: HistoryStore, cluster: str, query: Query, now: float, before: Cursor
) -> TaskCount:
    """Return how many stored tasks before a place match a filter."""
    from ..history.rows import TaskCount

    deadline, matching, place = time.monotonic() + MAX_COUNT_SECONDS, 0, before
    while True:
        count = store.count(cluster, query, now, place)
        matching += count.matching
        if count.cursor is None or time.monotonic() > deadline:
            return TaskCount(matching, count.exact)
        place = count.cursor


def stored_task(session: Session, id_: str) -> tuple[Task | None, str]:
    """Return the stored task of an id, or of its beginning if no other task begins with it.

    Also returns, and reports on stderr, why the history could not be searched; empty if it could.
    """
    from ..history.task_body import task_of

    try:
        with open_history(session.settings, needed=True) as store:
            rows = () if store is None else store.task(session.cluster, id_)
    except (HistoryUnreachable, InvalidUsage) as error:
        stderr.echo(str(error))
        return None, str(error)
    if len(rows) == 1 or (rows and rows[0].id == id_):
        return task_of(rows[0]), ""
    return None, ""


def with_stored(
    lookup: TaskLookup, task: Task | None, fault: str, settings: Settings
) -> TaskLookup:
    """Return the result of a lookup with that in the history.

    Args:
        lookup: What was found elsewhere.
        task: What the history has.
        fault: Why it could not be searched; empty if it could.
        settings: Where the history is.
    """
    import msgspec

    from ..history.open import OFF, history_file
    from ..model.lookup import PlaceChecked, Sighting
    from ..model.observations import HistoryRead
    from ..model.text.passwords import mask_url

    if settings.read_history == OFF:
        return lookup
    where = history_file(settings.read_history) or mask_url(settings.read_history)
    place = PlaceChecked("history", None if fault else task is not None, fault or str(where))
    found: tuple[Sighting, ...] = ()
    if task is not None:
        read = HistoryRead((task,), lookup.at, wanted=True, unfinished=True)
        found = (Sighting("history", read),)
    places: tuple[PlaceChecked, ...] = (*lookup.places, place)
    return msgspec.structs.replace(lookup, found=(*lookup.found, *found), places=places)
