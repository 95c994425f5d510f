"""`celtop schedule`: lists the periodic tasks of beat, and enables or disables them."""

from __future__ import annotations

from typing import Any

import click

from ...arguments import read_name
from ...exit_codes import InvalidUsage
from ...lists import ListOptions, list_options, run_list
from ...operations.run import RunOptions, connected, operation_options, print_outcome, run_operation
from ...options import Command, settings_of
from ...session import REPLY_TIMEOUT, pump_until, wait_for


class ScheduleCommand(Command):
    """The list; `enable` or `disable` as its first word is a command of its own."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of the list, or of the command that the first word names."""
        command = {"enable": enable, "disable": disable}.get(args[0]) if args else None
        if command is None:
            return super().make_context(info_name, args, parent, **extra)
        return command.make_context(f"{info_name} {command.name}", args[1:], parent, **extra)


@click.command(cls=ScheduleCommand)
@list_options("schedule")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.pass_context
def schedule(ctx: click.Context, /, as_json: bool, **options: Any) -> int:
    """List the periodic tasks of celery beat, the overdue ones first.

    They are read from the app of -A with its django-celery-beat tables, from RedBeat, from the
    file of --beat-schedule-file, and from the beat_schedule of the workers. An entry is reported
    as overdue only if its run could have been seen: listen at least as long as its interval.

    FILTER is one or more words that name, task, schedule, arguments, queue or status contain;
    `!word` excludes an entry.

    `celtop schedule enable NAME...` and `celtop schedule disable NAME...` change entries of
    django-celery-beat.
    """
    if as_json:
        options["format_name"] = "json"
    return run_list(ctx, "schedule", ListOptions(**options))


@click.command(cls=Command)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@operation_options
@click.pass_context
def enable(ctx: click.Context, names: tuple[str, ...], options: RunOptions) -> int:
    """Enable periodic tasks of django-celery-beat, by name.

    Pass the app with -A: it changes the rows in its own process, as the Django admin does. A task
    whose time has passed is sent at once.
    """
    return _switch(ctx, names, options, enabled=True)


@click.command(cls=Command)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@operation_options
@click.pass_context
def disable(ctx: click.Context, names: tuple[str, ...], options: RunOptions) -> int:
    """Disable periodic tasks of django-celery-beat, by name.

    Pass the app with -A: it changes the rows in its own process, as the Django admin does. Tasks
    that were sent already are not revoked.
    """
    return _switch(ctx, names, options, enabled=False)


def _switch(
    ctx: click.Context, names: tuple[str, ...], options: RunOptions, *, enabled: bool
) -> int:
    from ....model.operations.schedule_commands import SwitchEntries

    entries = tuple(dict.fromkeys(read_name("NAME", name) for name in names))
    settings = settings_of(ctx)
    if settings.app is None:
        raise InvalidUsage("The schedule is changed by the app. Name it with -A")
    with connected(settings, options, workers_needed=False) as session:
        wait_for(session, session.read_schedule(), "the schedule")
        pump_until(session, REPLY_TIMEOUT, lambda: not session.backlog)
        outcome = run_operation(session, SwitchEntries(entries=entries, enabled=enabled), options)
    return print_outcome(outcome, options)
