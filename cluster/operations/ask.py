"""Asking workers during an act: one mailbox, answers as they come, and an end to the waiting."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

from ...model.observations import InspectReply
from ...model.text.passwords import mask
from ..connection.remote_control import RemoteControl, Reply, Unreadable
from .running import OperationContext, Unsure

PATIENCE: Final = 5.0
"""Seconds since the last answer after which who has not answered is called silent."""


class Asking:
    """Questions to workers over one mailbox; made by `asking`."""

    def __init__(self, doing: OperationContext, pidbox: RemoteControl) -> None:
        self._doing = doing
        self._pidbox = pidbox
        self._replies: dict[str, dict[str, Reply]] = {}
        self._unreadable: set[str] = set()
        self._last = time.monotonic()
        self.on_reply: Callable[[Reply], object] | None = None
        """Called with each answer, also with a late one to an earlier question."""

    def send(
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        destination: Sequence[str] | None = None,
    ) -> str:
        """Send a question, to all workers or to those named; return its ticket.

        Raises:
            Unsure: The connection broke while it was sent.
        """
        self._last = time.monotonic()
        try:
            with self._doing.limited():
                ticket = self._pidbox.put(command, destination, arguments)
        except Exception as error:
            raise Unsure("the connection broke while it was sent", destination or ()) from error
        self._replies.setdefault(ticket, {})
        return ticket

    def tell(
        self, command: str, arguments: Mapping[str, Any] | None, destination: Sequence[str]
    ) -> None:
        """Send a command that is not answered.

        Raises:
            Unsure: The connection broke while it was sent.
        """
        try:
            with self._doing.limited():
                self._pidbox.tell(command, destination, arguments=arguments)
        except Exception as error:
            raise Unsure("the connection broke while it was sent", destination) from error

    def wait(
        self, ticket: str, expected: Sequence[str], patience: float = PATIENCE
    ) -> dict[str, Reply]:
        """Wait until all of those expected have answered, or nobody did for `patience` seconds.

        Args:
            ticket: The question's.
            expected: Whose answers to wait for; those of others are returned as well.
            patience: Seconds since the question or the last answer to anything.

        Raises:
            Exception: Whatever the transport raises when the connection is lost.
        """
        self._last = max(self._last, time.monotonic() if not self._replies[ticket] else 0.0)
        while not self._replies[ticket].keys() >= set(expected):
            if time.monotonic() - self._last > patience or self._doing.cancelled.is_set():
                break
            self._pidbox.drain()
        return dict(self._replies[ticket])

    def replies(self, ticket: str) -> dict[str, Reply]:
        """Return who has answered a question so far, and what."""
        return dict(self._replies[ticket])

    def silence(self, patience: float = PATIENCE) -> str:
        """Say why a worker that was asked has no answer."""
        if self._unreadable:
            kinds = ", ".join(sorted(self._unreadable))
            return f"no answer that can be read: some came in {kinds}, which is not accepted"
        if self._doing.cancelled.is_set():
            return "no answer before celtop stopped waiting"
        return f"no answer within {patience:g} s; if it is only busy, it may do it later"

    def pass_on(self, replies: Mapping[str, Reply]) -> None:
        """Leave what workers said of themselves for the model."""
        for reply in replies.values():
            value = mask(reply.value) if reply.command in ("stats", "conf") else reply.value
            error = None if reply.error is None else self._doing.broker.hide(reply.error)
            now = self._doing.clock()
            self._doing.inbox.put(InspectReply(reply.worker, reply.command, value, now, error))

    def take(self, reply: Reply | Unreadable) -> None:
        """Note an answer. Of two workers of one name the one that complains is heard."""
        self._last = time.monotonic()
        if isinstance(reply, Unreadable):
            self._unreadable.add(reply.content_type)
            return
        known = self._replies.setdefault(reply.ticket, {})
        if reply.worker not in known or reply.error is not None:
            known[reply.worker] = reply
            if self.on_reply is not None:
                self.on_reply(reply)


@contextmanager
def asking(doing: OperationContext) -> Iterator[Asking]:
    """Open a mailbox over a connection of its own; it is removed from the broker at the end.

    Raises:
        Exception: Whatever the transport raises; until the first question nothing was sent.
    """
    settings = doing.broker.settings
    stack = ExitStack()
    try:
        with doing.limited():
            connection = stack.enter_context(doing.connection())
            pidbox = RemoteControl(connection, settings.control_exchange, settings.accept_content)
            pidbox.prepare()
            mailbox = Asking(doing, pidbox)
            listening = stack.enter_context(ExitStack())
            listening.enter_context(pidbox.listening(mailbox.take))
        yield mailbox
        with doing.limited(), suppress(Exception):
            listening.close()
            pidbox.close()
    finally:
        # What the broker has not taken back by now, it forgets a minute after the connection.
        with doing.limited(), suppress(Exception):
            stack.__exit__(*sys.exc_info())
