"""Sends commands to workers during an operation, and finds out why a reply is missing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

from ...model.observations import InspectReply
from ...model.operations.outcome import Answer
from ...model.text.passwords import mask
from ..connection.remote_control import RemoteControl
from ..connection.replies import Replies, Reply
from .replies import MAX_REPLY_LENGTH, to_answer
from .running import OperationContext, Unsure

REPLY_TIMEOUT: Final = 5.0
"""Seconds since the last reply after which the other workers are considered silent."""


class Mailbox:
    """Commands and their replies over one connection; made by `open_mailbox`."""

    def __init__(self, context: OperationContext, control: RemoteControl) -> None:
        self._context = context
        self._control = control
        self._unreadable: set[str] = set()

    def send(
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        workers: Sequence[str] | None = None,
        on_reply: Callable[[Reply], object] | None = None,
    ) -> Replies:
        """Send a command to some workers, or to all.

        `on_reply` is called with each reply, also a late one. If two workers have the same name,
        only an error follows the first reply.

        Raises:
            Unsure: The connection broke during sending.
        """

        def filtered(reply: Reply) -> None:
            if on_reply is not None and replies.to(command)[reply.worker] is reply:
                on_reply(reply)

        with self._sending(workers):
            replies = self._control.send([command], workers, {command: arguments or {}}, filtered)
        return replies

    def broadcast(self, command: str, arguments: Mapping[str, Any], workers: Sequence[str]) -> None:
        """Send a command that workers do not reply to.

        Raises:
            Unsure: The connection broke during sending.
        """
        with self._sending(workers):
            self._control.broadcast(command, workers, arguments)

    def wait(
        self, replies: Replies, expected: Sequence[str], timeout: float = REPLY_TIMEOUT
    ) -> None:
        """Wait until all expected workers have replied, or none did for `timeout` seconds.

        Of workers that share a name, all are waited for.

        Raises:
            Exception: Any error of the transport when the connection is lost.
        """
        cancelled = self._context.cancelled.is_set
        shared = self._context.known_targets.namesakes
        each = [name for name in expected for _ in range(shared.get(name, 1))]
        try:
            self._control.wait(replies, each, quiet_period=timeout, cancelled=cancelled)
        finally:
            self._unreadable |= replies.unreadable

    def ask(
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        workers: Sequence[str] | None = None,
        *,
        expected: Sequence[str],
        timeout: float = REPLY_TIMEOUT,
    ) -> Mapping[str, Reply]:
        """Send a command, wait for the replies, and return them by worker."""
        replies = self.send(command, arguments, workers)
        self.wait(replies, expected, timeout)
        return replies.to(command)

    def collect(
        self,
        command: str,
        arguments: Mapping[str, Any],
        workers: Sequence[str] | None,
        *,
        expected: Sequence[str],
        max_length: int = MAX_REPLY_LENGTH,
    ) -> Mapping[str, Reply]:
        """Send a command to some workers, or to all; report each reply and the missing ones."""

        def on_reply(reply: Reply) -> None:
            if workers is None or reply.worker in workers:
                self._context.report(workers={reply.worker: to_answer(reply, max_length)})

        pending = self.send(command, arguments, workers, on_reply)
        replies = pending.to(command)
        try:
            self.wait(pending, expected)
        finally:
            silent = [name for name in expected if name not in replies]
            serializer = pending.unreadable_from(silent, command)
            answer = Answer("silent", self.missing_reply())
            if serializer is not None:
                answer = Answer("silent", f"its replies in {serializer} cannot be read")
            workers_ = dict.fromkeys(silent, answer) | self.incomplete([pending], command)
            self._context.report(workers=workers_, namesakes=self.namesakes([pending], command))
        return replies

    def namesakes(self, blocks: Sequence[Replies], command: str) -> dict[str, int]:
        """Return how many workers have each shared name, as known before or by their replies."""
        known = self._context.known_targets.namesakes
        found = {name: known[name] for name in self._context.outcome.workers if name in known}
        for block in blocks:
            for name in block.duplicates:
                found[name] = max(found.get(name, 0), block.count(command, name))
        return found

    def incomplete(self, blocks: Sequence[Replies], command: str) -> dict[str, Answer]:
        """Return verdicts on the shared names under which some of the workers did not reply."""
        answers = {}
        for name, number in self._context.known_targets.namesakes.items():
            least = min((block.count(command, name) for block in blocks), default=0)
            if 0 < least < number:
                text = f"only {least:,} of {number:,} workers with this name replied"
                answers[name] = Answer("silent", text)
        return answers

    def missing_reply(self, timeout: float = REPLY_TIMEOUT) -> str:
        """Return why a worker has not replied."""
        if self._unreadable:
            serializers = ", ".join(sorted(self._unreadable))
            return f"no readable reply; some came in {serializers}, which is not accepted"
        if self._context.broker.blocked is not None:
            return f"no reply: {self._context.broker.blocked.problem}"
        if self._context.cancelled.is_set():
            return "no reply before celtop stopped waiting"
        return f"no reply within {timeout:g} s; a busy worker may still do it later"

    def forward(self, replies: Mapping[str, Reply]) -> None:
        """Forward the replies to inspect commands to the model."""
        for reply in replies.values():
            value = mask(reply.value) if reply.command in ("stats", "conf") else reply.value
            error = None if reply.error is None else self._context.broker.hide(reply.error)
            at = time.time()
            self._context.inbox.put(InspectReply(reply.worker, reply.command, value, at, error))

    @contextmanager
    def _sending(self, workers: Sequence[str] | None) -> Iterator[None]:
        try:
            with self._context.limited():
                yield
        except Exception as error:
            raise Unsure("the connection broke during sending", workers or ()) from error


@contextmanager
def open_mailbox(context: OperationContext) -> Iterator[Mailbox]:
    """Open a mailbox over a connection of its own; it is deleted from the broker at the end.

    Raises:
        Refused: The broker accepts no messages.
        Exception: Any error of the transport; nothing was sent before the first command.
    """
    context.require_messages()
    stack = ExitStack()
    try:
        with context.limited():
            connection = stack.enter_context(context.broker.connection())
            control = RemoteControl(connection, context.broker)
            control.prepare()
            receiving = stack.enter_context(ExitStack())
            receiving.enter_context(control.receiving())
        yield Mailbox(context, control)
        with context.limited(), suppress(Exception):
            receiving.close()
            control.close()
    finally:
        # If this fails, the broker removes the queue a minute after the connection.
        with context.limited(), suppress(Exception):
            stack.__exit__(*sys.exc_info())
