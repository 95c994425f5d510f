"""`celtop check`: compares the cluster with limits, for monitoring systems and cron jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import isnan
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from ...arguments import duration_option, read_duration
from ...exit_codes import BrokerUnreachable, CommandError, ExitCode, InvalidUsage
from ...message_ages import message_ages
from ...options import Command, settings_of
from ...output import stderr
from ...output.schema import schema_option
from ...output.stdout import write
from ...session import CONNECT_TIMEOUT, listen, open_session, pump_until, wait_for_broker
from ...targets.workers import read_mailboxes

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....export.check import CheckRun, Outcome
    from ....model.health.check import CheckLimits
    from ....model.health.finding import Severity
    from ....settings import Settings

T = TypeVar("T")

NAGIOS: Final = "--nagios"
MAX_DIGITS: Final = 15
"""Digits of a number of messages: JSON readers keep these exactly."""
EXIT_CODES: Final[dict[Outcome, ExitCode]] = {
    "ok": ExitCode.OK,
    "warning": ExitCode.FAILED,
    "unknown": ExitCode.FAILED,
    "failed": ExitCode.FAILED,
    "unreachable": ExitCode.UNREACHABLE,
    "timeout": ExitCode.TIMEOUT,
    "usage": ExitCode.USAGE,
}


class CheckCommand(Command):
    """A command whose usage errors keep to the contract of Nagios plugins with `--nagios`."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """Parse the arguments."""
        nagios = NAGIOS in args
        try:
            return super().make_context(info_name, args, *rest, **extra)
        except click.UsageError as error:
            if nagios:
                raise _nagios_usage(error) from error
            raise


class NagiosUsage(CommandError):
    """An invalid command line or setting, as a plugin reports it."""

    exit_code = ExitCode(3)  # UNKNOWN


def _nagios_usage(error: click.ClickException) -> NagiosUsage:
    """Print the line that Nagios shows, and return the error to raise."""
    from ....export.check import CheckRun, render_nagios

    message = error.format_message()
    write(render_nagios(CheckRun("", "usage", error=message)))
    return NagiosUsage(message)


def _by_queue(
    read: Callable[[click.Context, click.Parameter, str], T],
) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, T]]:
    """Return the reader of a repeatable option `QUEUE=LIMIT`."""

    def parse_all(
        ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]
    ) -> dict[str, T]:
        found = {}
        for text in texts:
            name, equals, limit = text.rpartition("=")
            if not (name.strip() and equals and limit):
                raise click.BadParameter(f"{text!r} is not QUEUE=LIMIT", ctx, option)
            found[name] = read(ctx, option, limit)
        return found

    return parse_all


def _count(ctx: click.Context, option: click.Parameter, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise click.BadParameter(f"{text!r} is not a number of messages", ctx, option)
    return int(text)


def _percent(ctx: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and isnan(value):  # it is in any range, and no rate exceeds it
        raise click.BadParameter("nan is not a percentage", ctx, option)
    return value


def _known_codes(
    ctx: click.Context, option: click.Parameter, codes: tuple[str, ...]
) -> frozenset[str]:
    from difflib import get_close_matches

    from ....model.health.codes import CODES

    for code in codes:
        if code not in CODES:
            near = next(iter(get_close_matches(code, CODES, 1)), None)
            hint = f"; did you mean {near}?" if near else "; docs/findings.md lists all codes"
            raise click.BadParameter(f"unknown code {code!r}{hint}", ctx, option)
    return frozenset(codes)


@click.command(cls=CheckCommand)
@click.option("--max-waiting", multiple=True, metavar="QUEUE=N", callback=_by_queue(_count),
              help="Fail if more than N messages are waiting in the queue;"
              " repeatable.")  # fmt: skip
@click.option("--max-age", multiple=True, metavar="QUEUE=DURATION",
              callback=_by_queue(read_duration),
              help="Fail if the first message of the queue that may run has been waiting longer,"
              " or if its age is unknown; repeatable.")  # fmt: skip
@click.option("--min-workers", type=click.IntRange(0), metavar="N",
              help="Fail if fewer workers are online (default: 1 if no limit is"
              " given).")  # fmt: skip
@click.option("--max-failure-rate", type=click.FloatRange(0, 100), metavar="P",
              callback=_percent,
              help="Fail if more than P percent of the tasks that finish during --wait"
              " fail.")  # fmt: skip
@duration_option("--wait", default="10s", show_default=True,
                 help="Receive task events for this long, for --max-failure-rate.")  # fmt: skip
@click.option("--severity", type=click.Choice(["error", "warning", "info"]),
              help="Fail on findings of this severity or worse (default: error if no limit is"
              " given).")  # fmt: skip
@click.option("--ignore", multiple=True, metavar="CODE", callback=_known_codes,
              help="Ignore findings with this code; repeatable.")  # fmt: skip
@duration_option("--timeout", default="10s", show_default=True,
                 help="Give up if broker or workers do not reply for this long.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(NAGIOS, is_flag=True,
              help="Print one line with performance data, and exit with 0 (OK), 1 (WARNING), 2"
              " (CRITICAL) or 3 (UNKNOWN).")  # fmt: skip
@schema_option("check")
@click.pass_context
def check(
    ctx: click.Context,
    max_waiting: dict[str, int],
    max_age: dict[str, float],
    min_workers: int | None,
    max_failure_rate: float | None,
    wait: float,
    severity: Severity | None,
    ignore: frozenset[str],
    timeout: float,
    as_json: bool,
    nagios: bool,
) -> int:
    """Compare the cluster with limits, for monitoring systems and cron jobs.

    With limits, only these are checked, and findings if --severity is given. Without limits, at
    least one worker must be online and no finding may be an error.

    The exit code is 0 if all checks pass, 1 if one fails or a value is unknown, 3 if the broker is
    unreachable, and 4 if workers or queues have not replied in time.
    """
    from ....export.check import NAGIOS_CODES, render, render_nagios, report
    from ....export.encoding.json import encode
    from ....model.health.check import CheckLimits

    if as_json and nagios:
        raise _nagios_usage(InvalidUsage("Pass either --json or --nagios"))
    limits = CheckLimits(
        max_waiting, max_age, min_workers, max_failure_rate, severity, ignore
    ).or_default()
    try:
        run = _run(settings_of(ctx), limits, wait, timeout)
    except InvalidUsage as error:
        if nagios:
            raise _nagios_usage(error) from error
        raise
    if nagios:
        write(render_nagios(run))
        return NAGIOS_CODES[run.outcome]
    if run.error:
        stderr.echo(run.error)
    write(encode(report(run, time.time())) if as_json else render(run))
    return EXIT_CODES[run.outcome]


def _run(settings: Settings, limits: CheckLimits, wait: float, timeout: float) -> CheckRun:
    """Collect the values and compare them.

    Raises:
        InvalidUsage: The settings or the installation are at fault.
    """
    from ....export.check import CheckRun, worst
    from ....model.health.check import check as compare

    window = None if limits.max_failure_rate is None else wait
    deadline = time.monotonic() + timeout
    settings = session_settings(settings, limits)
    with open_session(
        settings, inspect=limits.need_workers, report=False, one_shot=True
    ) as session:
        broker = session.state.broker
        try:
            wait_for_broker(session, min(CONNECT_TIMEOUT, timeout), timeout)
        except BrokerUnreachable as error:
            return CheckRun(broker.url, "unreachable", error=error.format_message())
        # Only findings are about beat; a broker without a schedule costs little.
        schedule = session.read_schedule() if limits.severity is not None else None
        if window is not None:
            listen(session, window)
            deadline += window
            session.refresh()
        replied = pump_until(
            session,
            max(0.0, deadline - time.monotonic()),
            lambda: session.refreshed and (schedule is None or schedule.done()),
        )
        pump_until(session, 1.0, lambda: not session.backlog)
        silent = _silent_workers(session, limits.min_workers or 0)
        ages = message_ages(session, limits.max_age)
        results = compare(
            session.state,
            limits,
            time.time(),
            window=window or 0.0,
            silent_workers=silent,
            ages=ages,
        )
        if not replied and worst(results) != "failed":
            late = f"Workers or queues did not reply within {timeout:g} s"
            return CheckRun(broker.url, "timeout", results, late, window)
        return CheckRun(broker.url, worst(results), results, window=window)


def session_settings(settings: Settings, limits: CheckLimits) -> Settings:
    """Return the settings of the session: it measures the named queues first, and little else."""
    queues = dict.fromkeys((*limits.max_waiting, *limits.max_age, *settings.queues))
    enable_events = settings.enable_events and limits.max_failure_rate is not None
    return settings.model_copy(
        update={"queues": tuple(queues), "load_results": 0, "enable_events": enable_events}
    )


def _silent_workers(session: Session, least: int) -> int:
    """Return the number of connected workers that did not reply; 0 if enough of them did."""
    replied = session.state.present_workers(time.time())
    if len(replied) >= least:
        return 0
    found = read_mailboxes(session)
    return 0 if found is None else found.count_silent(replied)
