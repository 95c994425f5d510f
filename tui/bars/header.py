"""The line at the top: the connection, what must not be overlooked, and the numbers that matter."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from ...model.state import ClusterState
from ...model.text import units
from ..context import Scene
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

    def paint(self, scene: Scene) -> None:
        """Show the present state."""
        self.show(
            [
                Part(f"celtop{_app_name(scene)}", "bold $text-primary", 4, gap=1),
                connection(scene),
                Part(scene.state.broker.url or "no broker", "$text-muted", 6),
                read_only(scene),
                *warnings(scene),
            ],
            numbers(scene),
        )


def _app_name(scene: Scene) -> str:
    return f" {scene.glyphs.separator} {scene.settings.app}" if scene.settings.app else ""


def connection(scene: Scene) -> Part:
    """Return the connection's glyph and word, and how long the broker takes to answer."""
    broker = scene.state.broker
    level, style = _PHASES.get(broker.phase, ("idle", "$text-muted"))
    text = f"{scene.glyphs.level(level)} {broker.phase}"
    if broker.phase == "live" and broker.latency is not None:
        text += f" {broker.latency * 1000:.0f} ms"
    return Part(text, style)


def read_only(scene: Scene) -> Part:
    """Return the badge that always tells whether celtop may change anything."""
    if scene.session.read_only:
        return Part("RO", "bold $text-success", 3)
    return Part("RW", "bold $text-warning", 3)


def warnings(scene: Scene) -> list[Part]:
    """Return what should be zero and is not."""
    state, parts = scene.state, []
    if scene.frozen:
        held = units.count(scene.held_back)
        parts.append(Part(f" FROZEN +{held} ", "bold reverse $text-warning"))
    if state.totals.lost:
        parts.append(Part(f"lost {units.count(state.totals.lost)}", "bold $text-error", 1))
    if state.totals.corrected:
        corrected = units.count(state.totals.corrected)
        parts.append(Part(f"corrected {corrected}", "$text-warning", 3, "app.corrected"))
    if state.totals.malformed:
        malformed = units.count(state.totals.malformed)
        parts.append(Part(f"malformed {malformed}", "$text-warning", 2))
    if scene.session.backlog > BACKLOG_SHOWN:
        parts.append(Part(f"behind {units.count(scene.session.backlog)}", "$text-warning", 2))
    return parts


def numbers(scene: Scene) -> list[Part]:
    """Return the numbers at the right end."""
    state, now = scene.state, scene.now()
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
        Part(units.clock(now, UTC if scene.utc else None) + " ", "$text-muted", 5),
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
