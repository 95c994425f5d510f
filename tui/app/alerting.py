"""Raises alerts by the terminal: its bell, the title of its window, a desktop notification."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import msgspec

from ...alerts import escape_sequences
from ...alerts.sender import AlertSender
from ...alerts.tracker import Alert, AlertTracker, Raised
from ...alerts.wording import news, title
from ...model.entities.limits.alert_rules import AlertRules
from ..context import AppContext

INTERVAL: Final = 1.0
"""Seconds between two looks at the findings."""
NAME: Final = "celtop"


class Alerting:
    """Follows the findings and raises their alerts.

    Args:
        context: The model, and the log for problems with the delivery.
        rules: Which findings raise an alert, and how.
        write: Writes to the terminal.
    """

    def __init__(
        self, context: AppContext, rules: AlertRules, write: Callable[[str], object]
    ) -> None:
        self._context = context
        self._rules = rules
        self._write = write
        self._tracker = AlertTracker(rules)
        self._title = ""
        self._sender: AlertSender | None = None
        if rules.command or rules.webhook:
            cluster = context.live.broker.url
            log = partial(context.session.log, "warning", "alerts")
            self._sender = AlertSender(rules, cluster, log)

    def start(self) -> None:
        """Keep the title of the window, and start delivering."""
        if self._rules.title:
            self._write(escape_sequences.PUSH_TITLE)
        if self._sender is not None:
            self._sender.start()

    def stop(self) -> None:
        """Restore the title of the window, and end delivering."""
        if self._rules.title:
            self._write(escape_sequences.POP_TITLE)
        if self._sender is not None:
            self._sender.stop()

    def tick(self) -> None:
        """Look at the findings, and raise what is due."""
        now = self._context.clock()
        quiets = self._context.acknowledgements.quiets
        found = [one for one in self._context.live_findings if not quiets(one)]
        raised = self._tracker.update(found, now)
        active = self._tracker.active
        if raised:
            self._notify(raised)
        if self._rules.title:
            self._show_title(active)
        if self._sender is not None:
            self._sender.deliver(raised, active, now)

    def _notify(self, raised: Sequence[Raised]) -> None:
        if self._rules.bell and any(change != "resolved" for _, change in raised):
            self._write(escape_sequences.BELL)
        if sequence := escape_sequences.notification(
            self._rules.notification, news(raised), os.environ
        ):
            self._write(sequence)

    def _show_title(self, active: Sequence[Alert]) -> None:
        text = title(NAME, active)
        if text != self._title:
            self._title = text
            self._write(escape_sequences.window_title(text))


def alerting_of(context: AppContext, write: Callable[[str], object]) -> Alerting | None:
    """Return what raises the alerts of the settings; None if they raise none."""
    rules = msgspec.convert(context.settings.alerts, AlertRules)
    return Alerting(context, rules, write) if rules.raises_any else None
