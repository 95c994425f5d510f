"""`celtop metrics`: serves the metrics of the cluster to Prometheus, or prints them once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from .... import __version__
from ...arguments import duration_option
from ...exit_codes import ExitCode
from ...interrupts import stop_on_signal
from ...metrics_server import (
    DEFAULT_ADDRESS,
    LISTEN,
    metrics_served,
    read_listen,
    require_prometheus_client,
)
from ...options import Command, settings_of
from ...output.stdout import write
from ...session import collect, open_session
from ...settings_check import SettingsCheck

if TYPE_CHECKING:
    from ....metrics.server import Address
    from ....settings import Settings


@click.command(cls=Command)
@click.option(LISTEN, default=DEFAULT_ADDRESS, show_default=True, metavar="HOST:PORT",
              help="The address to listen on; :PORT listens on all interfaces.")  # fmt: skip
@click.option("--once", is_flag=True, help="Print the metrics and exit.")
@duration_option("--wait", zero=True, default="2s", show_default=True,
              help="Listen for events this long with --once.")  # fmt: skip
@click.pass_context
def metrics(ctx: click.Context, listen: str, once: bool, wait: float) -> int:
    """Serve metrics of the cluster for Prometheus.

    /metrics has the metrics, some under Flower's names; /health returns 200, or 503 with the reason
    if the broker cannot be reached. The server runs until ctrl-c or SIGTERM. It has neither
    encryption nor passwords, and listens on the loopback interface by default.
    """
    # Tasks that finished before have no metrics.
    settings = settings_of(ctx).model_copy(update={"load_results": 0})
    require_prometheus_client()
    return _print(settings, wait) if once else _serve(settings, read_listen(listen))


def _print(settings: Settings, wait: float) -> int:
    from ....metrics.cluster_metrics import ClusterMetrics
    from ....metrics.exposition import exposition, version_family

    if not wait:
        settings = settings.model_copy(update={"enable_events": False})
    with open_session(settings, one_shot=True) as session:
        metrics = ClusterMetrics(session.state)
        collect(session, wait)
        now = time.time()
        session.tick(now)
        write(exposition([*metrics.families(now), version_family(__version__)]).body)
    return ExitCode.OK if session.state.broker.phase == "live" else ExitCode.UNREACHABLE


def _serve(settings: Settings, address: Address) -> int:
    from ....collector.loop import COLLECTED_TOPICS, Collected, CollectorLoop

    with open_session(settings, report=False) as session:
        session.watch(COLLECTED_TOPICS)
        loop = CollectorLoop([Collected(session, (SettingsCheck(session.state),))])
        with (
            metrics_served(address, loop, {session.cluster: session.state}),
            stop_on_signal(loop.stop),
        ):
            loop.run()
    return ExitCode.OK
