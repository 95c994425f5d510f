"""`celtop history`: where the history is, and what it has."""

from __future__ import annotations

import time
from contextlib import closing
from math import isnan
from typing import TYPE_CHECKING

import click

from ...exit_codes import CommandError, ExitCode
from ...options import Command, settings_of
from ...output.schema import schema_option
from ...output.stdout import write

if TYPE_CHECKING:
    from ....export.history import ClusterHistory, HistoryReport
    from ....history.rows import ClusterSummary
    from ....history.store import HistoryStore
    from ....settings import Settings


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@schema_option("history")
@click.pass_context
def history(ctx: click.Context, as_json: bool) -> int:
    """Show where the history is, its size, its clusters, and when nothing was recorded.

    The history is written by the monitor and by `celtop collect`. No broker is needed. To delete
    it, remove the file.
    """
    from ....history.open import OFF, history_file, open_store
    from ....history.store import NoHistoryError, StoreError
    from ....model.text.passwords import mask_url

    settings = settings_of(ctx, broker_needed=False)
    location = settings.read_history
    if location == OFF:
        raise CommandError(f"The history is off ({settings.source('history')})")
    try:
        with closing(open_store(location, read_only=True)) as store:
            _print(store, settings, as_json)
    except NoHistoryError as error:
        message = f"No history at {history_file(location) or mask_url(location)}"
        raise CommandError(f"{message}; the monitor and `celtop collect` write it") from error
    except StoreError as error:
        raise CommandError(str(error).removesuffix(".")) from error
    return ExitCode.OK


def _print(store: HistoryStore, settings: Settings, as_json: bool) -> None:
    from ....export.encoding.json import encode
    from ....export.history import render

    report = _report(store, settings)
    text = encode(report) if as_json else render(report).encode(errors="backslashreplace")
    write(text)


def _report(store: HistoryStore, settings: Settings) -> HistoryReport:
    from ....export.history import SCHEMA, HistoryReport

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
    from ....export.history import ClusterHistory, GapRecord
    from ....history.rows import MINUTE
    from ....history.sql.schema import SHARE
    from ....model.text.units import iso

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
