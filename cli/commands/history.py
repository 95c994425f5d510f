"""`celtop history`: where the history is, and what it has."""

from __future__ import annotations

import time
from math import isnan
from typing import TYPE_CHECKING

import click

from ..exit_codes import CommandError, ExitCode
from ..options import Command, settings_of
from ..schema import schema_option
from ..stdout import write
from ..stored import open_history

if TYPE_CHECKING:
    from ...export.history import ClusterHistory, HistoryReport
    from ...history.rows import ClusterSummary
    from ...history.store import HistoryStore
    from ...settings import Settings


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@schema_option("history")
@click.pass_context
def history(ctx: click.Context, as_json: bool) -> int:
    """Show where the history is, its size, its clusters, and when nothing was recorded.

    The history is written by the monitor and by `celtop collect`. No broker is needed. To delete
    it, remove the file.
    """
    settings = settings_of(ctx, broker_needed=False)
    with open_history(settings) as store:
        if store is not None:
            _print(store, settings, as_json)
            return ExitCode.OK
    raise CommandError(_missing(settings))


def _missing(settings: Settings) -> str:
    from ...history.open import OFF, history_file
    from ...model.text.passwords import mask_url

    if settings.read_history == OFF:
        return f"The history is off ({settings.source('history')})"
    where = history_file(settings.read_history) or mask_url(settings.read_history)
    return f"No history at {where}; the monitor and `celtop collect` write it"


def _print(store: HistoryStore, settings: Settings, as_json: bool) -> None:
    from ...export.history import render
    from ...export.json import encode

    report = _report(store, settings)
    text = encode(report) if as_json else render(report).encode(errors="backslashreplace")
    write(text)


def _report(store: HistoryStore, settings: Settings) -> HistoryReport:
    from ...export.history import SCHEMA, HistoryReport

    since = time.time() - settings.history_max_age
    clusters = [
        _cluster(store, one, since)
        for one in store.clusters()
        if settings.cluster in (None, one.cluster)
    ]
    return HistoryReport(
        SCHEMA,
        store.location,
        store.size() or None,
        settings.history_max_bytes,
        settings.history_max_age,
        clusters,
    )


def _cluster(store: HistoryStore, one: ClusterSummary, since: float) -> ClusterHistory:
    from ...export.history import ClusterHistory, GapRecord
    from ...history.rows import MINUTE
    from ...history.schema import SHARE
    from ...model.text.units import iso

    end = one.alive_at + MINUTE
    values = store.series(one.cluster, "cluster", "", since, end, MINUTE)
    shares = [share for share in values.get(SHARE, ()) if not isnan(share)]
    return ClusterHistory(
        one.cluster,
        one.tasks,
        iso(one.since),
        iso(one.alive_at),
        len(shares),
        min(shares, default=None),
        [
            GapRecord(iso(gap.began_at), iso(gap.ended_at), gap.killed)
            for gap in store.gaps(one.cluster, since, one.alive_at)
        ],
    )
