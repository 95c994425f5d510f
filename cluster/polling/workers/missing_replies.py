"""Finds out why replies of workers are missing: none came, or none that could be read.

A reply that cannot be read does not name its sender. But its sender is among the workers whose
replies are missing, and they can be asked one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from ....model.entities.fault import SILENT_WORKER, Fault
from ....model.text.phrases import counted, named
from ...connection.mailboxes import Mailboxes
from ...connection.remote_control import RemoteControl
from ...connection.replies import NO_REPLY, Replies, joined, unreadable_fault
from ...events.roster import Roster

MAX_ASKED_ALONE: Final = 5
"""Workers that are asked one at a time after a round."""


class MissingReplies:
    """Explains missing replies; the serializers of replies are kept with the workers."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def unknown_worker(
        self,
        control: RemoteControl,
        replies: Replies,
        asked: Collection[str],
        *,
        has_mailboxes: bool,
    ) -> Fault | None:
        """Return a fault if a broadcast was received by a worker whose name is unknown.

        Args:
            control: Has sent the broadcast.
            replies: The replies to it.
            asked: The workers that were known.
            has_mailboxes: Whether the broker can list the workers' mailboxes.
        """
        fault = self.unknown_sender(replies, asked)
        if fault is not None or not has_mailboxes:
            return fault
        try:
            connected = control.mailboxes()
        except Exception:
            # Optional information, which permissions may exclude; a lost connection is noticed by
            # the next command.
            return None
        return self.silent_worker(replies, asked, connected)

    def unknown_sender(self, replies: Replies, asked: Collection[str]) -> Fault | None:
        """Return a fault if a reply to a broadcast came from a worker whose name is unknown."""
        known = {*asked, *self._roster.present()}
        for command in replies.commands:
            if replies.count_unreadable(command) > len(known - replies.to(command).keys()):
                return unreadable_fault(joined(replies.unreadable), "some replies")
        return None

    def silent_worker(
        self, replies: Replies, asked: Collection[str], connected: Mailboxes
    ) -> Fault | None:
        """Return a fault if a worker received a broadcast without ever having sent anything.

        A worker with the solo pool sends neither replies nor heartbeats while it runs a task.
        """
        replied = max(
            sum(replies.count(command, name) for name in replies.to(command))
            for command in replies.commands
        )
        expected = {*asked, *self._roster.present()}
        unknown = connected.names - expected
        late = expected - set().union(*(replies.to(command) for command in replies.commands))
        silent = min(connected.listening - replied - len(late), len(unknown))
        if silent <= 0:
            return None
        # Workers that were killed leave their mailboxes behind.
        which = named(sorted(unknown)) if silent == len(unknown) else "name unknown"
        return Fault(
            SILENT_WORKER,
            f"{counted(silent, 'worker')} ({which}) connected to the broker, but sent no replies "
            "and no heartbeats",
            "A worker with the solo pool sends none while it runs a task",
        )

    def identify(
        self,
        control: RemoteControl,
        replies: Replies,
        asked: Collection[str],
        cancelled: Callable[[], bool],
    ) -> None:
        """Find out whose replies could not be read, if any."""
        if not replies.unreadable:
            return
        command = replies.commands[0]
        missing = sorted(set(asked) - replies.to(command).keys())
        unknown = [name for name in missing if not self._serializer(name)]
        if replies.count_unreadable(command) <= len(missing) - len(unknown):
            return
        for name in unknown[:MAX_ASKED_ALONE]:
            alone = control.gather(["ping"], [name], destination=[name], cancelled=cancelled)
            if member := self._roster.members.get(name):
                member.serializer = alone.unreadable_from([name], "ping")

    def faults(
        self, replies: Replies, command: str, missing: Collection[str]
    ) -> dict[Fault, list[str]]:
        """Return why replies to a command are missing, with the workers for each reason."""
        all_unreadable = replies.unreadable_from(missing, command)
        faults: dict[Fault, list[str]] = {}
        for name in sorted(missing):
            serializer = all_unreadable or (self._serializer(name) if replies.unreadable else None)
            fault = unreadable_fault(serializer) if serializer else NO_REPLY
            faults.setdefault(fault, []).append(name)
        return faults

    def _serializer(self, name: str) -> str | None:
        member = self._roster.members.get(name)
        return None if member is None else member.serializer
