"""`celtop doctor`: examines connection and cluster step by step."""

from __future__ import annotations

import itertools
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from ...model.health.steps import (
    BROKER,
    CLUSTER_STEPS,
    RESULTS,
    Step,
    StepKind,
    cluster_steps,
)
from ...model.text.phrases import counted
from ..exit_codes import CommandError, ExitCode, InvalidUsage
from ..options import Command, describe_app, settings_of
from ..session import connect, open_session, pump_until
from ..stdout import write

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...settings import Settings

EVENTS_TIMEOUT: Final = 2.5
"""Seconds for the heartbeats of all workers: they are sent every 2 s, and at once on request."""
OTHER_CLUSTERS_TIMEOUT: Final = 5.0
"""Seconds to look for the workers elsewhere on the broker, if there are none."""
SCHEDULE_TIMEOUT: Final = 10.0
"""Seconds for all sources of beat's schedule."""
RESULTS_TIMEOUT: Final = 15.0
"""Seconds for the result backend."""
APP: Final = StepKind("app", "App")
UNREACHABLE: Final = frozenset({"dns", "tcp", "sentinel", "tls", "server", "password", "database"})
"""Steps without which the broker cannot be used."""


@click.command(cls=Command)
@click.option("--deep", is_flag=True, help="Add advice, on the configuration above all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, when all steps are complete.")
@click.pass_context
def doctor(ctx: click.Context, deep: bool, as_json: bool) -> int:
    """Examine the connection to the broker and the cluster, step by step.

    Each step is OK, a warning or failed, with what to do next; after a failed step, those that need
    it are not checked. Nothing is changed, and task events are not enabled.

    The exit code is 0 if no step failed, 3 if the broker cannot be used, and 1 if another step
    failed.
    """
    from ...export.doctor import render, render_summary, report
    from ...export.json import encode

    steps: list[Step] = []
    settings, first = _load(ctx)
    rest = () if settings is None else _examine(settings, deep)
    for step in itertools.chain(first, rest):
        steps.append(step)
        if not as_json and not step.is_left_out:
            write(render(step, ascii_only=_is_ascii(settings)))
    summary = render_summary(steps, ascii_only=_is_ascii(settings))
    broker = "" if settings is None else str(settings.masked("broker_url"))
    write(encode(report(steps, broker, time.time())) if as_json else summary)
    return _exit_code(steps)


def _load(ctx: click.Context) -> tuple[Settings | None, list[Step]]:
    """Return the settings, and the step of the app if one is named; without an app that fails.

    If the settings are invalid, there are none, and a step has the reason.
    """
    import msgspec

    from ...cluster.doctor.connection import SETTINGS

    steps: list[Step] = []

    def describe(app: str, workdir: str | None) -> Mapping[str, object]:
        try:
            found = describe_app(app, workdir)
        except InvalidUsage as error:
            steps.append(_app_failed(error.format_message()))
            return {}
        text = f"{app} was loaded: {counted(len(found.tasks), 'task')}"
        steps.append(Step(APP, "ok", text))
        return msgspec.structs.asdict(found)

    try:
        return settings_of(ctx, broker_needed=False, describe=describe), steps
    except InvalidUsage as error:
        return None, [*steps, Step(SETTINGS, "failed", error.format_message())]


def _app_failed(message: str) -> Step:
    """Return the step of an app that cannot be loaded, from the lines of the error."""
    from ...cluster.app_probe import IMPORT_ADVICE

    first, *details = message.splitlines()
    problem = first.removesuffix(f". {IMPORT_ADVICE}")
    advice = IMPORT_ADVICE if problem != first else "Correct the app, or pass -b URL without -A"
    return Step(APP, "failed", problem, advice, details=tuple(details))


def _examine(settings: Settings, deep: bool) -> Iterator[Step]:
    """Yield the steps of the connection, and those of the cluster if there is one."""
    from ...cluster.doctor.connection import Examination

    connected = True
    with Examination(settings) as examination:
        for step in examination.steps():
            # A session may be possible without some permission.
            connected &= step.is_passed or step.kind.name == "permissions"
            yield step
    if connected:
        yield from _examine_cluster(settings, deep)
    else:
        yield from (Step(kind, "not checked") for kind in CLUSTER_STEPS)


def _examine_cluster(settings: Settings, deep: bool) -> Iterator[Step]:

    settings = settings.model_copy(update={"enable_events": False, "history": 0})
    with open_session(settings, report=False) as session:
        try:
            connect(session)
        except CommandError as error:
            yield Step(BROKER, "failed", error.format_message())
            yield from (Step(kind, "not checked") for kind in CLUSTER_STEPS if kind != BROKER)
            return
        _wait_for_heartbeats(session)
        pump_until(session, SCHEDULE_TIMEOUT, session.read_schedule().done)
        results = _results(session)
        yield from cluster_steps(session.state, time.time(), results, deep=deep)


def _wait_for_heartbeats(session: Session) -> None:
    """Wait until all workers have sent a heartbeat; if there are none, until others are found."""
    state = session.state
    if not state.present_workers(time.time()):
        pump_until(session, OTHER_CLUSTERS_TIMEOUT, lambda: bool(state.other_clusters))
        return
    pump_until(
        session,
        EVENTS_TIMEOUT,
        lambda: all(worker.clock_skew is not None for worker in state.workers.values()),
    )


def _results(session: Session) -> Step:
    """Return the step of the result backend, which is asked for a task that does not exist."""
    from ...cluster.results.backends.base import ResultsError
    from ...model.entities.fault import Fault

    found = session.result(str(uuid.uuid4()))
    if not pump_until(session, RESULTS_TIMEOUT, found.done):
        fault = Fault("timeout", f"no reply within {RESULTS_TIMEOUT:g} s", "Check its address")
        return Step.failed(RESULTS, fault)
    try:
        found.result()
    except ResultsError as error:
        if error.fault.kind == "results":  # there is none, or only the workers can read it
            problem, _, advice = error.fault.problem.partition("; ")
            return Step(RESULTS, "warning", problem, f"{advice[:1].upper()}{advice[1:]}")
        return Step.failed(RESULTS, error.fault)
    return Step(RESULTS, "ok", "results can be read")


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
