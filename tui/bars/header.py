"""The line at the top: the connection, what must not be overlooked, and the numbers that matter."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from ...model.state import ClusterState
from ...model.text import units
from ..context import AppContext
from .base import Bar, Part

RATE_WINDOW: Final = 10
FAILURE_WINDOW: Final = 300
"""Seconds over which the share of failures is taken."""

BACKLOG_SHOWN: Final = 500
"""Events that wait to be applied before it is told: what comes between two looks is no backlog."""

_PHASES: Final = {
    "live": ("good", "$text-success"),
    "connecting": ("warn", "$text-warning"),
    "lost": ("bad", "bold $text-error"),
}


class HeaderBar(Bar):
    """The top line of every screen."""

    def paint(self, context: AppContext) -> None:
        """Show the present state."""
        self.show(
            [
                Part(f"celtop{_app_name(context)}", "bold $text-primary", 4, gap=1),
                connection(context),
                Part(context.state.broker.url or "no broker", "$text-muted", 6),
                read_only(context),
                *warnings(context),
            ],
            numbers(context),
        )


def _app_name(context: AppContext) -> str:
    return f" {context.glyphs.separator} {context.settings.app}" if context.settings.app else ""


def connection(context: AppContext) -> Part:
    """Return the connection's glyph and word, and how long the broker takes to answer."""
    broker = context.state.broker
    level, style = _PHASES.get(broker.phase, ("idle", "$text-muted"))
    text = f"{context.glyphs.level(level)} {broker.phase}"
    if broker.phase == "live" and broker.latency is not None:
        text += f" {broker.latency * 1000:.0f} ms"
    return Part(text, style)


def read_only(context: AppContext) -> Part:
    """Return the badge that always tells whether celtop may change anything."""
    if context.session.read_only:
        return Part("RO", "bold $text-success", 3)
    return Part("RW", "bold $text-warning", 3)


def warnings(context: AppContext) -> list[Part]:
    """Return what should be zero and is not."""
    state, parts = context.state, []
    if context.frozen:
        held = units.count(context.held_back)
        parts.append(Part(f" FROZEN +{held} ", "bold reverse $text-warning"))
    if state.totals.lost:
        parts.append(Part(f"lost {units.count(state.totals.lost)}", "bold $text-error", 1))
    if state.totals.corrected:
        corrected = units.count(state.totals.corrected)
        parts.append(Part(f"corrected {corrected}", "$text-warning", 3, "app.corrected"))
    if state.totals.malformed:
        malformed = units.count(state.totals.malformed)
        parts.append(Part(f"malformed {malformed}", "$text-warning", 2))
    if context.session.backlog > BACKLOG_SHOWN:
        parts.append(Part(f"behind {units.count(context.session.backlog)}", "$text-warning", 2))
    return parts


def numbers(context: AppContext) -> list[Part]:
    """Return the numbers at the right end."""
    state, now = context.state, context.now()
    online, known = workers_online(state, now)
    workers = Part(
        f"{online}/{known} workers",
        "$text-error" if online < known or not known else "$text-success",
        2,
        "app.view('workers')",
    )
    share = failure_share(state, now)
    failing = "-" if share is None else units.percent(share)
    return [
        Part(f"{units.count(len(state.tasks))} tasks", "bold", 1, "app.view('tasks')"),
        Part(units.rate(finished_per_second(state, now)), "", 4),
        Part(f"fail {failing}", "$text-error" if share else "$text-muted", 3),
        workers,
        Part(units.clock(now, UTC if context.utc else None) + " ", "$text-muted", 5),
    ]


def finished_per_second(state: ClusterState, now: float) -> float:
    """Return how many tasks come to an end each second."""
    rates = state.rates
    return rates.succeeded.per_second(now, RATE_WINDOW) + rates.failed.per_second(now, RATE_WINDOW)


def failure_share(state: ClusterState, now: float) -> float | None:
    """Return the share of tasks that fail, 0.0 to 1.0; None if none ended of late."""
    failed = state.rates.failed.per_second(now, FAILURE_WINDOW)
    ended = failed + state.rates.succeeded.per_second(now, FAILURE_WINDOW)
    return failed / ended if ended else None


def workers_online(state: ClusterState, now: float) -> tuple[int, int]:
    """Return how many workers are online, and how many are known."""
    since = state.broker.listening_since
    online = sum(worker.status(now, since) == "online" for worker in state.workers.values())
    return online, len(state.workers)
