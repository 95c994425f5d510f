"""The steps of `celtop doctor`: the settings and the app, the connection, the cluster."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import click

from ..model.health.steps import (
    BROKER,
    CLUSTER_STEPS,
    RESULTS,
    Step,
    StepKind,
    cluster_steps,
)
from ..model.text.phrases import counted
from .exit_codes import CommandError, InvalidUsage
from .options import describe_app, settings_of
from .session import connect, open_session, pump_until

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..settings import Settings

EVENTS_TIMEOUT: Final = 2.5
"""Seconds for the heartbeats of all workers: they are sent every 2 s, and at once on request."""
OTHER_CLUSTERS_TIMEOUT: Final = 5.0
"""Seconds to look for the workers elsewhere on the broker, if there are none."""
SCHEDULE_TIMEOUT: Final = 10.0
"""Seconds for all sources of beat's schedule."""
RESULTS_TIMEOUT: Final = 15.0
"""Seconds for the result backend."""
APP: Final = StepKind("app", "App")


def load(ctx: click.Context) -> tuple[Settings | None, list[Step]]:
    """Return the settings, and the step of the app if one is named; without an app that fails.

    If the settings are invalid, there are none, and a step has the reason.
    """
    import msgspec

    from ..cluster.doctor.connection import SETTINGS

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
    from ..cluster.app_probe import IMPORT_ADVICE

    first, *details = message.splitlines()
    problem = first.removesuffix(f". {IMPORT_ADVICE}")
    advice = IMPORT_ADVICE if problem != first else "Correct the app, or pass -b URL without -A"
    return Step(APP, "failed", problem, advice, details=tuple(details))


def examine(settings: Settings, deep: bool) -> Iterator[Step]:
    """Yield the steps of the connection, and those of the cluster if there is one."""
    from ..cluster.doctor.connection import Examination

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
    settings = settings.model_copy(update={"enable_events": False, "load_results": 0})
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
    from ..cluster.results.backends.base import ResultsError
    from ..model.entities.fault import Fault

    found = session.lookups.result(str(uuid.uuid4()))
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
