"""Delivers alerts by a command and a webhook, in a thread of its own."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ..model.entities.limits.alert_rules import AlertRules
from . import payload
from .tracker import Alert, Raised

COMMAND_TIMEOUT: Final = 30.0
"""Seconds after which the program is killed."""
POST_INTERVAL: Final = 60.0
"""Seconds between two posts of lasting alerts: those that are not repeated count as resolved."""
MAX_WAITING: Final = 100
"""Deliveries that may wait for a slow command or webhook."""
RETRY_DELAYS: Final = (1.0, 5.0, 15.0)
"""Seconds between attempts of a post."""
MAX_ERROR_LENGTH: Final = 300


class Delivery(NamedTuple):
    """The notifications that are delivered at once."""

    raised: Sequence[Raised]
    """The changes, for the command."""
    active: Sequence[Alert]
    """All lasting alerts, for the webhook."""


class AlertSender:
    """Runs the command and posts to the webhook; neither delays the caller.

    Args:
        rules: The command and the URL.
        cluster: The name of the cluster in the data.
        on_problem: Called with the reason, in the sender's thread, if a delivery fails.
    """

    def __init__(
        self, rules: AlertRules, cluster: str, on_problem: Callable[[str], object]
    ) -> None:
        self._rules = rules
        self._cluster = cluster
        self._on_problem = on_problem
        self._waiting: Queue[Delivery | None] = Queue(MAX_WAITING)
        self._stopping = threading.Event()
        self._posted_at = 0.0
        self._thread = threading.Thread(target=self._run, name="celtop-alerts", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the delivery under way."""
        self._stopping.set()
        with suppress(Full):  # it wakes up anyway
            self._waiting.put_nowait(None)

    def deliver(self, raised: Sequence[Raised], active: Sequence[Alert], now: float) -> None:
        """Deliver changed alerts; lasting ones are posted again from time to time.

        Args:
            raised: The alerts that changed.
            active: All alerts that are not resolved.
            now: The time, epoch seconds.
        """
        repost = bool(active and self._rules.webhook) and now - self._posted_at >= POST_INTERVAL
        if not raised and not repost:
            return
        self._posted_at = now
        try:
            self._waiting.put_nowait(Delivery(raised, active))
        except Full:
            self._on_problem("Alerts were dropped: earlier ones are still being delivered")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                delivery = self._waiting.get(timeout=5.0)
            except Empty:
                continue
            if delivery is None:
                return
            if self._rules.command and delivery.raised:
                self._run_command(delivery.raised)
            if self._rules.webhook:
                self._post(delivery)

    def _run_command(self, raised: Sequence[Raised]) -> None:
        program = self._rules.command[0]
        try:
            done = subprocess.run(
                self._rules.command,
                input=payload.document(raised, self._cluster),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=COMMAND_TIMEOUT,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            self._on_problem(f"The alert command {program} took longer than {COMMAND_TIMEOUT:g} s")
        except (OSError, ValueError) as error:  # such as a NUL in an argument
            reason = getattr(error, "strerror", None) or error
            self._on_problem(f"Cannot run the alert command {program}: {reason}")
        else:
            if done.returncode:
                last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
                why = f": {last[0][:MAX_ERROR_LENGTH]}" if last else ""
                self._on_problem(
                    f"The alert command {program} failed (exit code {done.returncode}){why}"
                )

    def _post(self, delivery: Delivery) -> None:
        from .webhook import WebhookError, post  # TLS takes long to import

        resolved = [alert for alert, change in delivery.raised if change == "resolved"]
        url = self._rules.webhook
        for delay in (*RETRY_DELAYS, None):
            body = payload.postable(
                delivery.active, resolved, self._cluster, self._rules.labels, time.time()
            )
            try:
                post(url, body)
            except WebhookError as error:
                if delay is None or not error.may_pass:
                    # Without the path, which is a secret of some services.
                    self._on_problem(f"Cannot post alerts to {urlsplit(url).hostname}: {error}")
                    return
                if self._stopping.wait(delay):
                    return
            else:
                return
