"""The commands that list something, with the columns and orders of the screens."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ..export.formats import FORMATS
from .arguments import duration_option
from .exit_codes import ExitCode, InvalidUsage
from .options import settings_of
from .output import stderr
from .output.document import encoded, list_context, output_options
from .output.repeated_list import RepeatedList, watched
from .output.schema import schema_option
from .output.stdout import is_terminal, write
from .session import collect, open_session, pump_until, wait_for
from .stored import (
    MAX_STORED,
    is_stored,
    live_or_stored,
    load_recorded,
    load_stored,
    offline_session,
    refuse_gauges,
)
from .targets.selection import MAX_FINISHED, read_filter, report_unknown_states, search_history

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..export.encoding.document import Document
    from ..history.rows import TaskCount
    from ..lists.listing import Listing
    from ..model.query.language import Query
    from ..model.query.order import Order
    from ..settings import Settings

WATCH_INTERVAL: Final = "2s"
LISTED_TASKS: Final = ("tasks", "failures")
"""Lists whose rows are made of tasks: the history has older ones."""
FAILING: Final = "state:failure,retry"
"""The filter of the tasks that make up the groups of failures."""


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The options of a list."""

    words: tuple[str, ...]
    columns: str | None
    sort: str | None
    limit: int | None
    format_name: str
    output: Path | None
    wait: float
    watch: bool
    interval: float


def list_options(name: str, limit: int | None = None) -> Callable[..., Callable[..., Any]]:
    """Return the decorator that adds the argument and the options of a list.

    Args:
        name: The list, and the command.
        limit: The default of `--limit`; None lists all rows.
    """
    shown = "" if limit is None else f" (default: {limit})"
    options = (
        click.argument("words", nargs=-1, metavar="[FILTER]"),
        click.option("--columns", metavar="NAMES", shell_complete=_completed(name),
                     help="Show these columns, separated by commas."),
        click.option("--sort", metavar="COLUMN", shell_complete=_completed(name, sortable=True),
                     help="Sort by a column; COLUMN:asc or COLUMN:desc sets the direction."),
        click.option("--limit", type=click.IntRange(0), default=limit, metavar="N",
                     help=f"List at most N rows{shown}."),
        output_options,
        duration_option("--wait", zero=True, default="2s", show_default=True,
                        help="Listen for events this long."),
        click.option("--watch", is_flag=True,
                     help="Repeat until ctrl-c: redraw a terminal, append to a pipe."),
        duration_option("--interval", default=WATCH_INTERVAL, show_default=True,
                        help="How often --watch repeats."),
        schema_option(name),
    )  # fmt: skip

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _completed(
    name: str, *, sortable: bool = False
) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return the function that completes the name of a column, the last one of several."""

    def complete(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[str]:
        from ..lists.context import no_context
        from ..lists.listing import LISTINGS

        listing = LISTINGS[name]
        known = listing.sort_ids(no_context()) if sortable else listing.column_ids(no_context())
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{one}" for one in known if one.startswith(last)]

    return complete


def run_list(ctx: click.Context, name: str, options: ListOptions) -> ExitCode:
    """Print a list, once or until the user ends it.

    Raises:
        InvalidUsage: A column, the order or the filter is unknown, or the format cannot be
            repeated.
        BrokerUnreachable: The broker did not reply.
    """
    settings = settings_of(ctx, is_offline=is_stored)
    if options.watch and options.output is None and not FORMATS[options.format_name].repeatable:
        names = ", ".join(one.name for one in FORMATS.values() if one.repeatable)
        raise InvalidUsage(
            f"--watch cannot repeat {options.format_name} on stdout; use {names}, or --output FILE"
        )
    choice = _read_choice(name, options, settings)
    if options.watch and options.words and options.words[0].isdecimal():
        number = options.words[0]
        stderr.echo(f"{number} filters the list; to set the interval: --watch --interval {number}")
    if options.watch:
        watch = _watch_live if settings.broker_url else _watch_stored
        return watch(settings, choice, options)
    live = partial(_write_live, settings, choice, options)
    stored = partial(_write_stored, settings, choice, options)
    return live_or_stored(settings, live, stored, types=name == "types")


def _write_stored(
    settings: Settings, choice: _Choice, options: ListOptions, session: Session
) -> None:
    """Print the recorded list."""
    others = _fill_stored(session, choice, options)
    document, _ = _document(session, settings, choice, options, options.limit, others)
    _write(document, options)


def _fill_stored(session: Session, choice: _Choice, options: ListOptions) -> TaskCount | None:
    """Load the tasks that the list needs from the history; return how many others match."""
    from ..model.query.language import EVERY_TASK

    if choice.listing.name in LISTED_TASKS:
        return _load_stored(session, choice, options)
    if choice.listing.name == "types":
        load_stored(session, EVERY_TASK, searched=False)
    else:
        refuse_gauges(options.format_name)
    return None


def _write_live(settings: Settings, choice: _Choice, options: ListOptions) -> ExitCode:
    """Print the live list."""
    settings = _listening(settings, options)
    with open_session(settings, one_shot=True) as session:
        others = _fill(session, choice, options)
        document, _ = _document(session, settings, choice, options, options.limit, others)
        _write(document, options)
    return ExitCode.OK if session.state.broker.phase == "live" else ExitCode.UNREACHABLE


POLLED: Final = {
    "workers": frozenset({"workers"}),
    "queues": frozenset({"queues", "consumers"}),
    "schedule": frozenset({"schedule", "queues", "consumers"}),
}
"""The topics polled while a list is watched, as often as for its screen."""


def _watch_live(settings: Settings, choice: _Choice, options: ListOptions) -> ExitCode:
    """Print the live list repeatedly, until stdout is closed."""
    settings = _listening(settings, options)
    repeated = _repeated(settings, options)
    with open_session(settings) as session:
        session.watch(POLLED.get(choice.listing.name, frozenset()))
        others = _fill(session, choice, options)
        for source in watched(session, options.interval, silent=repeated.redrawn):
            if not (session.state.broker.is_connected or repeated.shows_source):
                continue  # nothing would distinguish it from a present state
            limit = repeated.room(options.limit)
            document, matching = _document(session, settings, choice, options, limit, others)
            if not repeated.write(document, matching, source, time.time()):
                break
    return ExitCode.OK


def _watch_stored(settings: Settings, choice: _Choice, options: ListOptions) -> ExitCode:
    """Print the recorded list repeatedly, until stdout is closed."""
    repeated = _repeated(settings, options)
    while True:
        session = offline_session(settings)
        source = load_recorded(session, types=choice.listing.name == "types")
        others = _fill_stored(session, choice, options)
        limit = repeated.room(options.limit)
        document, matching = _document(session, settings, choice, options, limit, others)
        if not repeated.write(document, matching, source, time.time()):
            return ExitCode.OK
        time.sleep(options.interval)


def _listening(settings: Settings, options: ListOptions) -> Settings:
    """Return the settings; events are not enabled without a time to listen to them."""
    return settings if options.wait else settings.model_copy(update={"enable_events": False})


def _repeated(settings: Settings, options: ListOptions) -> RepeatedList:
    return RepeatedList(
        options.format_name,
        options.output,
        options.interval,
        whole=options.columns is not None,
        utc=settings.timezone == "utc",
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """A request for a list: which one, its filter, its order and its columns."""

    listing: Listing[Any]
    query: Query | str
    order: Order
    columns: tuple[str, ...]


def _read_choice(name: str, options: ListOptions, settings: Settings) -> _Choice:
    from ..lists.context import no_context
    from ..lists.listing import LISTINGS
    from ..model.query.language import EVERY_TASK

    listing, context = LISTINGS[name], no_context()
    columns: tuple[str, ...] = ()
    if options.columns is not None:
        columns = tuple(one.strip() for one in options.columns.split(",") if one.strip())
        _require_known("--columns", columns or ("",), listing.column_ids(context))
    column_id, direction = None, ""
    if options.sort is not None:
        column_id, colon, direction = options.sort.partition(":")
        _require_known("--sort", (column_id,), listing.sort_ids(context))
        if colon and direction not in ("asc", "desc"):
            raise InvalidUsage(f"Invalid --sort {options.sort!r}: use :asc or :desc")
    order = listing.order_by(context, column_id, direction == "desc" if direction else None)
    text = " ".join(options.words)
    query: Query | str = text
    if name == "tasks":
        query = read_filter(text, settings, "filter") if text else EVERY_TASK
    return _Choice(listing, query, order, columns)


def _require_known(option: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise InvalidUsage(f"Unknown column {name!r} in {option}; use {', '.join(known)}")


def _fill(session: Session, choice: _Choice, options: ListOptions) -> TaskCount | None:
    """Collect what the list needs; return how many other tasks in the history match."""
    from ..model.query.language import EVERY_TASK, parse_query

    if choice.listing.name == "schedule":
        read = session.read_schedule()
        collect(session, options.wait)
        wait_for(session, read, "the schedule")
        wait_for(session, session.read_schedule(), "the schedule")
        pump_until(session, 1.0, lambda: not session.backlog)
    else:
        collect(session, options.wait)
    others: TaskCount | None = None
    if choice.listing.name in LISTED_TASKS:
        others = _load_stored(session, choice, options)
    if not isinstance(choice.query, str):
        needed = _tasks_needed(choice, options)
        if needed is None and choice.query.empty:
            needed = session.settings.load_results
        search_history(session, choice.query, MAX_FINISHED if needed is None else needed)
        report_unknown_states(session, choice.query)
    elif choice.listing.name == "failures":
        search_history(session, parse_query(FAILING), session.settings.load_results)
    elif choice.listing.name == "types":
        search_history(session, EVERY_TASK, session.settings.load_results)
    return others


def _load_stored(session: Session, choice: _Choice, options: ListOptions) -> TaskCount | None:
    """Load the tasks of the list from the history; return how many others match."""
    from ..model.query.language import parse_query

    query = parse_query(FAILING) if isinstance(choice.query, str) else choice.query
    needed = _tasks_needed(choice, options)
    others = load_stored(session, query, MAX_STORED if needed is None else needed)
    return others if choice.listing.name == "tasks" else None


def _tasks_needed(choice: _Choice, options: ListOptions) -> int | None:
    """Return how many of the newest tasks are listed; None if an older one may belong there."""
    newest_first = choice.listing.name == "tasks" and options.sort is None
    return options.limit or None if newest_first else None


def _document(
    session: Session,
    settings: Settings,
    choice: _Choice,
    options: ListOptions,
    limit: int | None,
    others: TaskCount | None,
) -> tuple[Document, int]:
    """Return the list as it is now, and how many rows match.

    Args:
        session: What is listed.
        settings: The settings.
        choice: How it is listed.
        options: The options of the command.
        limit: The rows that are listed at most.
        others: Tasks that match as well, but were not loaded.
    """
    from ..export.lists.document import list_document

    now, recorded = time.time(), session.state.recorded
    if choice.listing.name == "schedule" and recorded is not None:
        now = recorded.at  # what was due since may have run
    session.state.tick(now)
    session.state.take_changes()  # which groups the failures
    context = list_context(session, settings, now, options.format_name)
    rows = choice.listing.rows(context, choice.query, choice.order)
    unlisted, exact = (others.matching, others.exact) if others is not None else (0, True)
    document = list_document(
        choice.listing.name,
        context,
        rows,
        limit,
        choice.columns,
        unlisted,
        exact=exact,
        filtered=" ".join(options.words),
    )
    return document, len(rows) + unlisted


def _write(document: Document, options: ListOptions) -> None:
    drawn = options.output is None and is_terminal()
    whole = options.columns is not None
    write(encoded(document, options.format_name, drawn=drawn, whole=whole), options.output)
