"""`celtop demo`: a cluster to look at, and celtop looking at it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click

from .. import stderr
from ..exit_codes import ExitCode, Misuse
from ..interrupts import orderly_end
from ..monitor import open_monitor, require_terminal
from ..options import Command, given
from ..stdout import write

if TYPE_CHECKING:
    from ...demo.cluster import DemoCluster
    from ...settings import Settings

BROUGHT_ALONG: Final = ("app", "broker_url", "result_backend", "workdir")
GLANCE: Final = 0.2
"""Seconds between two looks at whether the cluster still lives."""


@click.command(cls=Command, short_help="Start a cluster to look at, and celtop on it.")
@click.option("--no-tui", is_flag=True, help="Print the broker's URL and stay up until ctrl-c.")
@click.option("--seed", default=1, show_default=True, help="Which tasks come, in which order.")
@click.pass_context
def demo(ctx: click.Context, no_tui: bool, seed: int) -> int:
    """Start an embedded broker, real workers and tasks, and open celtop on them.

    Everything runs on this machine's loopback interface, keeps nothing on disk, and ends with
    celtop. Neither the environment nor the config file has a say in it.
    """
    from ...demo.cluster import DemoCluster, DemoFailed
    from ...demo.server import NoServer

    flags = given(ctx)
    for option in ctx.command.params:
        if option.name in BROUGHT_ALONG and option.name in flags:
            raise click.UsageError(f"the demo brings its own cluster: {option.opts[0]} is no use")
    if not no_tui:
        require_terminal()
    try:
        with orderly_end(), DemoCluster(seed, os.environ) as cluster:
            if no_tui:
                return _stay(cluster)
            return open_monitor(_settings(cluster, flags))
    except (NoServer, DemoFailed) as error:
        raise Misuse(str(error)) from error


def _settings(cluster: DemoCluster, flags: Mapping[str, object]) -> Settings:
    """Return settings from flags alone; loaded while the first worker boots."""
    from ...settings import SettingsError, load_settings

    urls = {"broker_url": cluster.url, "result_backend": cluster.url}
    try:
        return load_settings({**flags, **urls}, {}, os.devnull)
    except SettingsError as error:
        raise Misuse(str(error)) from error


def _stay(cluster: DemoCluster) -> int:
    """Print the URL, and wait until told to end or until the cluster has ended by itself."""
    write(f"{cluster.url}\n".encode())
    stderr.say(f"the demo runs until ctrl-c; look at it with: celtop -b {cluster.url}")
    stderr.say(f"logs: {cluster.logs}")
    while cluster.alive:
        time.sleep(GLANCE)
    stderr.say(f"the demo has ended by itself; logs: {cluster.logs}")
    return ExitCode.NO
