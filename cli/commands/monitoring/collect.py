"""`celtop collect`: monitors clusters without a screen."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from ...exit_codes import ExitCode
from ...interrupts import stop_on_signal
from ...metrics_server import LISTEN, metrics_served, read_listen
from ...options import Command, settings_of_clusters
from ...output import stderr
from ...settings_check import SettingsCheck

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....collector.alert_sink import AlertSink
    from ....collector.loop import Collected, Sink
    from ....model.entities.changes import Changes
    from ....model.state import ClusterState
    from ....settings import Settings

MAX_SUCCESSES_PER_S: Final = 4_000
"""Successes of each cluster stored per second; of more, a sample. A screen, which has other work,
stores fewer."""
WRITE_TIMEOUT: Final = 10.0
"""Seconds at most for the history to be written at the end."""
STOP_TIMEOUT: Final = 2.0
"""Seconds at most for the threads of a session to end, and to leave task events as found."""


@click.command(cls=Command)
@click.option(LISTEN, metavar="HOST:PORT",
              help="Serve /metrics and /health on this address, as `celtop metrics`"
              " does.")  # fmt: skip
@click.pass_context
def collect(ctx: click.Context, listen: str | None) -> int:
    """Keep the history of clusters and send their alerts, without a screen.

    One process for a team: it receives the events of each cluster once, writes the history and
    delivers the alerts of [alerts] in the config file. Without --cluster or -b, all clusters of the
    config file are monitored; a broker that cannot be used does not affect the others. The log goes
    to stderr. The process ends on SIGTERM or ctrl-c.
    """
    from ....collector.loop import CollectorLoop

    address = None if listen is None else read_listen(listen)
    with contextlib.ExitStack() as stack:
        clusters = [stack.enter_context(_monitored(each)) for each in settings_of_clusters(ctx)]
        check = SettingsCheck(*(one.source.state for one in clusters))
        clusters[0] = clusters[0]._replace(sinks=(*clusters[0].sinks, check))
        loop = CollectorLoop(clusters)
        if address is not None:
            states = {one.cluster: one.source.state for one in clusters}
            stack.enter_context(metrics_served(address, loop, states, labelled=True))
        with stop_on_signal(loop.stop):
            loop.run()
    _await_written([one.sinks for one in clusters])
    return ExitCode.OK


def _await_written(sinks: Sequence[Sequence[Sink]]) -> None:
    """Wait until the histories have been written, and report what they lack."""
    from ....history.writing.sink import HistorySink
    from ....model.text.phrases import counted

    deadline = time.monotonic() + WRITE_TIMEOUT
    for history in (one for each in sinks for one in each if isinstance(one, HistorySink)):
        writer = history.thread
        writer.join(max(0.0, deadline - time.monotonic()))
        if (number := writer.waiting) and writer.leads is not False:
            why = writer.fault or f"it could not be written in {WRITE_TIMEOUT:.0f} s"
            stderr.echo(f"The history lacks the last {counted(number, 'task')}: {why}")


@contextlib.contextmanager
def _monitored(settings: Settings) -> Iterator[Collected]:
    """Start the session of a cluster with its sinks, and stop them at the end of the block."""
    from ....cluster.session import Session
    from ....collector.loop import COLLECTED_TOPICS, Collected

    session = Session(settings)
    session.history.keep(MAX_SUCCESSES_PER_S)
    alerts = _alerts(session)
    sinks: list[Sink | None] = [_LogPrinter(session.cluster), session.history.sink, alerts]
    session.watch(COLLECTED_TOPICS)
    session.start()
    if alerts is not None:
        alerts.start()
    try:
        yield Collected(session, [sink for sink in sinks if sink is not None], session.cluster)
    finally:
        if alerts is not None:
            alerts.stop()
        session.stop(STOP_TIMEOUT)


def _alerts(session: Session) -> AlertSink | None:
    """Return what delivers the alerts of the settings; None if nothing is to be delivered."""
    import msgspec

    from ....collector.alert_sink import AlertSink
    from ....files.acknowledgements import Acknowledgements
    from ....model.entities.limits.alert_rules import AlertRules
    from ...monitor import cluster_name

    rules = msgspec.convert(session.settings.alerts, AlertRules)
    if not (rules.command or rules.webhook):
        return None
    acknowledged = Acknowledgements.of_user(cluster_name(session.settings))
    log = partial(session.log, "warning", "alerts")
    return AlertSink(rules, session.cluster, log, acknowledged.quiets, lambda: _leads(session))


def _leads(session: Session) -> bool:
    """Return whether this collector, and no other, writes the history of a cluster."""
    history = session.history.sink
    return history is None or history.thread.leads is True or history.fault is not None


class _LogPrinter:
    """Prints what is new in the log of a cluster."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._serial = 0

    def update(self, state: ClusterState, changes: Changes, now: float) -> None:
        """Print the new entries."""
        if state.log.version == self._serial:
            return
        for entry in state.log:
            if entry.serial > self._serial:
                at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at))
                where = f"{at} {entry.level} {self._cluster}: {entry.source}"
                stderr.echo_line(f"{where}: {entry.text}")
        self._serial = state.log.version
