"""The header: connection, warnings, and the most important numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from math import ceil
from typing import Final

from ...lists.workers import level_of
from ...model.entities.series.rates import RATE_WINDOW
from ...model.entities.styles import BROKER_LEVELS, Level
from ...model.health.newness import failures_rise
from ...model.state import ClusterState
from ...model.text import units
from ...model.text.phrases import counted
from ...model.text.sanitize import visible
from ...widgets.colours import COLOURS
from ..context import AppContext
from ..text.unknown import counted_rate, not_known_yet, rates_known
from ..text.windows import windows
from .base import Bar, Part

FAILURE_WINDOW: Final = 300
"""Seconds over which the failure rate is averaged."""
FAILURE_PERIOD_PRIORITY: Final = 8
"""That of the period at the failure rate; the rates beside it are those of the last minute."""

MAX_BADGE_CHARACTERS: Final = 28

MIN_BACKLOG_SHOWN: Final = 500
"""Events that must be waiting before a backlog is shown: fewer arrive between two frames anyway."""

FAULT_PRIORITY: Final = 10
LATENCY_PRIORITY: Final = 100
"""The priorities of the connection's details in the footer."""

WINDOWS_PRIORITY: Final = 7
"""The first part to be left out; lists of tasks then show it in their info bar."""


class HeaderBar(Bar):
    """The top line of every screen."""

    @property
    def shows_windows(self) -> bool:
        """Whether there is room for the windows of time that memory covers."""
        if not any(part.priority == WINDOWS_PRIORITY for part in self._parts[0]):
            return False
        left, _ = self._fitting(self.size.width)
        return any(part.priority == WINDOWS_PRIORITY for part in left)

    def paint(self, context: AppContext) -> None:
        """Show the current state."""
        self.show(
            [
                Part(
                    f"celtop{_app_name(context)}",
                    "bold $text-primary",
                    4,
                    "app.view('overview')",
                    gap=1,
                ),
                replace(connection(context), click="app.view('log')"),
                Part(context.live.broker.url or "no broker", "$text-muted", 6),
                read_only_badge(context),
                *collector_part(context),
                *warnings(context),
                *windows_part(context),
            ],
            numbers(context),
        )


def _app_name(context: AppContext) -> str:
    return f" {context.glyphs.separator} {context.settings.app}" if context.settings.app else ""


def connection(context: AppContext) -> Part:
    """Return the connection's state and the broker's latency."""
    state, *details = connection_parts(context)
    return Part("".join([state.text, *(part.text for part in details)]), state.style)


def connection_parts(context: AppContext) -> tuple[Part, ...]:
    """Return the connection's state, and its details, which a narrow bar leaves out."""
    if context.replay is not None:
        return (Part("REPLAY", "bold $text-accent"),)
    broker = context.live.broker
    level = BROKER_LEVELS.get(broker.phase, "idle")
    style = f"bold {COLOURS[level]}" if level == "bad" else COLOURS[level]
    parts = [Part(f"{context.glyphs.level(level)} {broker.phase}", style)]
    if broker.phase == "blocked" and broker.fault is not None and broker.fault.kind != broker.phase:
        parts.append(Part(f": {broker.fault.kind}", style, FAULT_PRIORITY, gap=0))
    elif broker.phase == "live" and broker.latency is not None:
        parts.append(Part(f" {broker.latency * 1000:.0f} ms", style, LATENCY_PRIORITY, gap=0))
    if broker.phase != "live" and broker.live_since is not None:
        now = context.clock()
        until = broker.listening(now).until
        if now - until >= 1:
            age = f", data {units.age(until, now)} old"
            parts.append(Part(age, style, FAULT_PRIORITY, gap=0))
    return tuple(parts)


def read_only_badge(context: AppContext) -> Part:
    """Return the badge that shows whether celtop is read-only."""
    if context.session.read_only:
        return Part("RO", "bold $text-success", 3)
    return Part("RW", "bold $text-warning", 3)


def collector_part(context: AppContext) -> list[Part]:
    """Return that tasks come from a collector's history, and whether it is up to date."""
    if context.settings.from_history is None:
        return []
    if context.live.fact("history").fault is not None:
        return [Part("history out of date", "bold $text-error", 1)]
    return [Part("from history", "$text-muted", 6)]


def frozen_badge(context: AppContext, more: str = "") -> Part:
    """Return the badge of a frozen screen: the time that it shows."""
    text = f" FROZEN {_frozen_time(context)}{more} "
    return Part(text, "bold reverse $text-warning", click="app.freeze")


def lasting_badge(context: AppContext, characters: int = MAX_BADGE_CHARACTERS) -> list[Part]:
    """Return the badge of the latest change in force, in up to so many characters."""
    changes = context.lasting
    if not changes:
        return []
    more = f" +{len(changes) - 1}" if len(changes) > 1 else ""
    text = visible(changes[-1].badge, characters - len(more), context.glyphs.ellipsis)
    return [Part(f" {text}{more} ", "bold reverse $text-warning", 2, "app.operation('undo')")]


def warnings(context: AppContext) -> list[Part]:
    """Return badges (frozen, changes in force) and the counters that should be zero and are not."""
    state, parts = context.live, []
    if context.frozen:
        freeze = context.freeze
        first = ", first record" if freeze.stepped_back and freeze.at_first_record else ""
        parts.append(frozen_badge(context, f"{first} +{units.count(freeze.held_back)}"))
    parts += lasting_badge(context)
    if state.totals.lost:
        lost = f"{units.count(state.totals.lost)} events lost"
        parts.append(Part(lost, "bold $text-error", 1, "app.view('log')"))
    if state.totals.corrected:
        corrected = f"{counted(state.totals.corrected, 'state')} corrected"
        parts.append(Part(corrected, "$text-warning", 3, "app.corrected"))
    if state.totals.malformed:
        malformed = f"{units.count(state.totals.malformed)} malformed"
        parts.append(Part(malformed, "$text-warning", 2, "app.view('log')"))
    if context.session.backlog > MIN_BACKLOG_SHOWN:
        parts.append(Part(f"{units.count(context.session.backlog)} behind", "$text-warning", 2))
    return parts


def _frozen_time(context: AppContext) -> str:
    """Return the time that is shown; with its date if it is from the history or another day."""
    zone = UTC if context.utc else None
    shown, today = (units.date_time(at, zone) for at in (context.now(), context.clock()))
    if context.freeze.moment is None and shown[:10] == today[:10]:
        return _clock(context.now(), utc=context.utc)
    return shown[:16]


def windows_part(context: AppContext) -> list[Part]:
    """Return the windows of time that memory covers, if it is full."""
    text = windows(context)
    return [Part(text, "$text-muted", WINDOWS_PRIORITY)] if text else []


def numbers(context: AppContext) -> list[Part]:
    """Return the numbers at the right edge: those of now, or of the time stepped back to."""
    state, now = context.live, context.clock()
    if context.freeze.stepped_back:
        state, now = context.state, context.now()
    shown = _workers_then(state) if context.freeze.stepped_back else _workers(state, now)
    workers = Part(*shown, 2, "app.view('workers')")
    share = failure_share(state, now)
    failing, period = "-" if share is None else units.percent(share), failure_period(state, now)
    held, rate = units.count(len(state.tasks)), finished_rate(state, now)
    if context.freeze.moment is not None:
        held = units.UNKNOWN
    if not rates_known(state, context.freeze):
        rate, failing = f"{units.UNKNOWN}/s", units.UNKNOWN
    if not state.tasks and not_known_yet(state):
        held, rate = units.UNKNOWN, f"{units.UNKNOWN}/s"
    return [
        Part(f"{held} task{'s' * (held != '1')}", "bold", 1, "app.view('tasks')"),
        Part(rate, "", 4, "app.charts"),
        Part(
            f"fail {failing}",
            _failing_style(state, now) if share else "$text-muted",
            3,
            "app.error",
        ),
        *([Part(period, "$text-muted", FAILURE_PERIOD_PRIORITY, gap=1)] if share else []),
        workers,
        Part(_clock(context.clock(), utc=context.utc), "$text-muted", 5, "app.times"),
        Part("", gap=1),
    ]


def _workers(state: ClusterState, now: float) -> tuple[str, str]:
    """Return how many workers are online, and the style."""
    online, known = workers_online(state, now)
    if online is None or (not known and not_known_yet(state)):
        return f"{units.UNKNOWN}/{known or units.UNKNOWN} workers", "$text-muted"
    level: Level = "good" if known and online == known else "warn"
    if level == "warn":
        listening = state.broker.listening(now)
        gone = (level_of(worker, listening, now) for worker in state.workers.values())
        level = "bad" if "bad" in gone else level
    return f"{online}/{known} workers", COLOURS[level]


def _workers_then(state: ClusterState) -> tuple[str, str]:
    """Return how many workers were online at the time stepped back to, and the style."""
    known = len(state.workers)
    if not known:
        return f"{units.UNKNOWN} workers", "$text-muted"
    online = sum(one.lost_at is None for one in state.workers.values())
    return f"{online}/{known} workers", COLOURS["good" if online == known else "warn"]


def _failing_style(state: ClusterState, now: float) -> str:
    """Return red if failures become more frequent, otherwise no colour."""
    return COLOURS["bad"] if failures_rise(state, now) else ""


def _clock(now: float, *, utc: bool) -> str:
    """Return the time of day with its zone, unless the local one is UTC."""
    return f"{units.clock(now, UTC if utc else None)} {units.zone_name(now, utc=utc)}".rstrip()


def finished_per_second(state: ClusterState, now: float) -> float:
    """Return how many tasks finish per second, or did when the connection was lost."""
    rates, now = state.rates, state.broker.observed_until(now)
    return rates.succeeded.per_second(now, RATE_WINDOW) + rates.failed.per_second(now, RATE_WINDOW)


def finished_rate(state: ClusterState, now: float) -> str:
    """Return how many tasks finish per second; a minimum if events do not report them all."""
    return counted_rate(state, finished_per_second(state, now))


def failure_share(state: ClusterState, now: float) -> float | None:
    """Return the share of failed tasks, 0.0 to 1.0; None if none finished recently."""
    now = state.broker.observed_until(now)
    failed = state.rates.failed.per_second(now, FAILURE_WINDOW)
    ended = failed + state.rates.succeeded.per_second(now, FAILURE_WINDOW)
    return failed / ended if ended else None


def failure_period(state: ClusterState, now: float) -> str:
    """Return in words the period of the failure share: less than usual just after the start."""
    since, until = state.totals.first_event_at, state.broker.observed_until(now)
    seconds = FAILURE_WINDOW if since is None else min(FAILURE_WINDOW, max(0.0, until - since))
    step = 10 if seconds <= 60 else 60  # it does not change each second
    return f"in {units.duration(max(1, ceil(seconds / step)) * step)}"


def workers_online(state: ClusterState, now: float) -> tuple[int | None, int]:
    """Return the number of online workers, and of known ones; None while no event can arrive."""
    if state.broker.phase != "live" and state.broker.since is not None:
        return None, len(state.workers)
    return state.online_workers(now), len(state.workers)
