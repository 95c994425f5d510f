"""Detects an event connection that receives nothing although workers are running."""

from __future__ import annotations

import time
from typing import Final

from ...connection.remote_control import RemoteControl
from ...connection.replies import Reply
from ...events.receiver import Receiver
from ...events.roster import Roster

MAX_EVENT_SILENCE: Final = 10.0
"""Seconds without an event, from workers that send heartbeats, before the connection is checked."""
MIN_RECONNECT_INTERVAL: Final = 60.0
"""Seconds between two reconnects for this reason."""


class EventSilence:
    """Has the receiver reconnect if workers reply to us but their events do not arrive."""

    def __init__(self, roster: Roster, receiver: Receiver) -> None:
        self._roster = roster
        self._receiver = receiver
        self._reconnected_at = 0.0

    def check(self, control: RemoteControl) -> None:
        """Send a ping if events are overdue, and have the receiver reconnect after a reply."""
        now = time.monotonic()
        members = self._roster.members.copy().values()
        beats = [
            one.heartbeat_interval
            for one in members
            if one.heartbeat_at is not None and one.sends_heartbeats
        ]
        if not beats or now - self._reconnected_at < MIN_RECONNECT_INTERVAL:
            return
        if now - self._roster.last_event_at < max(MAX_EVENT_SILENCE, 4 * max(beats)):
            return
        self._reconnected_at = now
        replies: list[Reply] = []
        control.gather(["ping"], on_reply=replies.append, cancelled=lambda: bool(replies))
        if replies and now - self._roster.last_event_at >= MAX_EVENT_SILENCE:
            self._receiver.reconnect()
