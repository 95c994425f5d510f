"""`celtop demo`: a local demo cluster, with the monitor open on it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click

from ...exit_codes import ExitCode, InvalidUsage
from ...interrupts import clean_exit
from ...monitor import open_monitor, require_terminal
from ...options import Command, given
from ...output import stderr
from ...output.stdout import write

if TYPE_CHECKING:
    from ....demo.cluster import DemoCluster
    from ....settings import Settings

OWN_SETTINGS: Final = ("app", "broker_url", "result_backend", "workdir")
"""Settings that the demo makes itself."""
CLUSTER: Final = "demo"
"""The name of the cluster in the history."""
CHECK_INTERVAL: Final = 0.2
"""Seconds between two checks that the cluster is running."""


@click.command(cls=Command)
@click.option("--no-tui", is_flag=True, help="Print the broker URL and run until ctrl-c.")
@click.option("--seed", default=1, show_default=True, help="The seed of the random workload.")
@click.pass_context
def demo(ctx: click.Context, no_tui: bool, seed: int) -> int:
    """Try celtop on a demo cluster with real workers and tasks.

    The embedded broker and all workers run on the loopback interface, leave nothing on disk, and
    stop when celtop exits. Environment variables and the config file are ignored.
    """
    from ....demo.cluster import DemoCluster, DemoFailed
    from ....demo.server import NoServer

    flags = given(ctx)
    for option in ctx.command.params:
        if option.name in OWN_SETTINGS and option.name in flags:
            raise click.UsageError(
                f"{option.opts[0]} cannot be used: the demo starts its own cluster"
            )
    if not no_tui:
        require_terminal()
    try:
        with clean_exit(), DemoCluster(seed, os.environ) as cluster:
            if no_tui:
                return _serve(cluster)
            return open_monitor(lambda: _settings(cluster, flags))
    except (NoServer, DemoFailed) as error:
        raise InvalidUsage(str(error)) from error


def _settings(cluster: DemoCluster, flags: Mapping[str, object]) -> Settings:
    """Return settings from flags alone; imported while the first worker boots."""
    from ....settings import SettingsError, load_settings

    urls = {"broker_url": cluster.url, "result_backend": cluster.url}
    try:
        # Each demo has another URL, but one history.
        return load_settings({"cluster": CLUSTER, **flags, **urls}, {}, os.devnull)
    except SettingsError as error:
        raise InvalidUsage(str(error)) from error


def _serve(cluster: DemoCluster) -> int:
    """Print the broker URL, and wait for ctrl-c or for the cluster to fail."""
    write(f"{cluster.url}\n".encode())
    stderr.echo(f"The demo cluster runs until ctrl-c; open it with: celtop -b {cluster.url}")
    stderr.echo(f"Logs: {cluster.logs}")
    while cluster.alive:
        time.sleep(CHECK_INTERVAL)
    stderr.echo(f"The demo cluster stopped unexpectedly; see its logs in {cluster.logs}")
    return ExitCode.FAILED
