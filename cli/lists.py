"""The commands that list something, with the columns and orders of the screens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ..export.formats import FORMATS
from .arguments import duration_option
from .exit_codes import ExitCode, InvalidUsage
from .options import settings_of
from .output.document import encoded, list_context, output_options
from .output.schema import schema_option
from .output.stdout import is_terminal, output_size, write
from .session import ConnectionCheck, collect, open_session, pump_until, wait_for
from .stored import MAX_STORED, is_stored, live_or_stored, load_stored, refuse_gauges
from .targets.selection import MAX_FINISHED, read_filter, report_unknown_states, search_history

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..lists.listing import Listing
    from ..model.query.language import Query
    from ..model.query.order import Order
    from ..settings import Settings

WATCH_INTERVAL: Final = "2s"
MIN_ROWS: Final = 3
"""Rows that are drawn on any terminal."""
LISTED_TASKS: Final = ("tasks", "failures")
"""Lists whose rows are made of tasks: the history has older ones."""
FAILING: Final = "state:failure,retry"
"""The filter of the tasks that make up the groups of failures."""
OTHER_LINES: Final = 3
"""Lines of a terminal besides: the header, the count of more rows, and the cursor's."""


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
        BrokerUnreachable: The broker did not reply, or was lost for too long.
    """
    in_history = name != "schedule"
    settings = settings_of(ctx, is_offline=is_stored) if in_history else settings_of(ctx)
    if options.watch and options.output is None and not FORMATS[options.format_name].repeatable:
        names = ", ".join(one.name for one in FORMATS.values() if one.repeatable)
        raise InvalidUsage(
            f"--watch cannot repeat {options.format_name} on stdout; use {names}, or --output FILE"
        )
    choice = _read_choice(name, options, settings)
    live = partial(_write_live, settings, choice, options)
    if not in_history:
        return live()
    return live_or_stored(settings, live, partial(_write_stored, settings, choice, options))


def _write_stored(
    settings: Settings, choice: _Choice, options: ListOptions, session: Session
) -> None:
    """Print what the history has."""
    from ..model.query.language import EVERY_TASK

    if choice.listing.name in LISTED_TASKS:
        _load_stored(session, choice, options)
    elif choice.listing.name != "types":
        refuse_gauges(options.format_name)
    else:
        load_stored(session, EVERY_TASK, searched=False)
    _write(session, settings, choice, options)


def _write_live(settings: Settings, choice: _Choice, options: ListOptions) -> ExitCode:
    """Print what the cluster has, and repeat it if it is to be watched."""
    if not options.wait:
        settings = settings.model_copy(update={"enable_events": False})
    with open_session(settings, one_shot=not options.watch) as session:
        _fill(session, choice, options)
        if not options.watch:
            _write(session, settings, choice, options)
        else:
            for _ in _repeat(session, options.interval):
                if not _write(session, settings, choice, options):
                    return ExitCode.OK
    return ExitCode.OK if session.state.broker.phase == "live" else ExitCode.UNREACHABLE


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is listed: the list, its filter, its order and its columns."""

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
        column_id, _, direction = options.sort.partition(":")
        _require_known("--sort", (column_id,), listing.sort_ids(context))
        if direction not in ("", "asc", "desc"):
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


def _fill(session: Session, choice: _Choice, options: ListOptions) -> None:
    """Collect what the list needs."""
    from ..model.query.language import EVERY_TASK, parse_query

    if choice.listing.name == "schedule":
        read = session.read_schedule()
        collect(session, options.wait)
        wait_for(session, read, "the schedule")
        wait_for(session, session.read_schedule(), "the schedule")
        pump_until(session, 1.0, lambda: not session.backlog)
    else:
        collect(session, options.wait)
    if choice.listing.name in LISTED_TASKS:
        _load_stored(session, choice, options)
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


def _load_stored(session: Session, choice: _Choice, options: ListOptions) -> None:
    """Load the tasks of the list from the history."""
    from ..model.query.language import parse_query

    query = parse_query(FAILING) if isinstance(choice.query, str) else choice.query
    needed = _tasks_needed(choice, options)
    load_stored(session, query, MAX_STORED if needed is None else needed)


def _tasks_needed(choice: _Choice, options: ListOptions) -> int | None:
    """Return how many of the newest tasks are listed; None if an older one may belong there."""
    newest_first = choice.listing.name == "tasks" and options.sort is None
    return options.limit or None if newest_first else None


def _repeat(session: Session, interval: float) -> Iterator[None]:
    """Yield at once and after each interval; observations are applied meanwhile."""
    check_connection = ConnectionCheck(session)
    while True:
        yield
        deadline = time.monotonic() + interval
        while (left := deadline - time.monotonic()) > 0:
            check_connection()
            pump_until(session, min(1.0, left), lambda: False)


def _write(session: Session, settings: Settings, choice: _Choice, options: ListOptions) -> bool:
    from ..export.lists import list_document

    now = time.time()
    session.state.tick(now)
    session.state.take_changes()  # which groups the failures
    context = list_context(session, settings, now, options.format_name)
    rows = choice.listing.rows(context, choice.query, choice.order)
    drawn = options.output is None and is_terminal()
    redrawn = drawn and options.watch and options.format_name == "text"
    limit = options.limit
    if redrawn:
        room = max(MIN_ROWS, output_size().lines - OTHER_LINES)
        limit = room if limit is None else min(limit, room)
    document = list_document(choice.listing.name, context, rows, limit, choice.columns)
    data = encoded(document, options.format_name, drawn=drawn, whole=bool(choice.columns))
    return write(over_last(data) if redrawn else data, options.output)


def over_last(text: bytes) -> bytes:
    """Return a text so that a terminal draws it from its first line on, over an earlier one."""
    return b"\x1b[H" + text.replace(b"\n", b"\x1b[K\n") + b"\x1b[J"
