"""`celtop doctor`: examines connection and cluster step by step."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from ...exit_codes import ExitCode
from ...options import Command
from ...output.schema import schema_option
from ...output.stdout import write

if TYPE_CHECKING:
    from ....model.health.steps import Step
    from ....settings import Settings

UNREACHABLE: Final = frozenset({"dns", "tcp", "sentinel", "tls", "server", "password", "database"})
"""Steps without which the broker cannot be used."""


@click.command(cls=Command)
@click.option("--deep", is_flag=True, help="Add advice, mainly on the configuration.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, when all steps are complete.")
@schema_option("doctor")
@click.pass_context
def doctor(ctx: click.Context, deep: bool, as_json: bool) -> int:
    """Examine the connection to the broker and the cluster, step by step.

    Each step is OK, a warning or failed, with what to do next; after a failed step, those that need
    it are not checked. Nothing is changed, and task events are not enabled.

    The exit code is 0 if no step failed, 3 if the broker cannot be used, and 1 if another step
    failed.
    """
    from ....export.doctor import render, render_summary, report
    from ....export.encoding.json import encode
    from ...examination import examine, load

    steps: list[Step] = []
    settings, first = load(ctx)
    rest = () if settings is None else examine(settings, deep)
    for step in itertools.chain(first, rest):
        steps.append(step)
        if not as_json and not step.is_left_out:
            write(render(step, ascii_only=_is_ascii(settings)))
    summary = render_summary(steps, ascii_only=_is_ascii(settings))
    broker = "" if settings is None else str(settings.masked("broker_url"))
    write(encode(report(steps, broker, time.time())) if as_json else summary)
    return _exit_code(steps)


def _is_ascii(settings: Settings | None) -> bool:
    if settings is not None and settings.ascii is not None:
        return settings.ascii
    return "utf" not in (sys.stdout.encoding or "").lower()


def _exit_code(steps: Sequence[Step]) -> ExitCode:
    """Return the exit code by the first step that failed."""
    failed = [step.kind.name for step in steps if step.status == "failed"]
    if UNREACHABLE.intersection(failed):
        return ExitCode.UNREACHABLE
    return ExitCode.FAILED if failed else ExitCode.OK
