"""Commands to workers by name: sent once to all, and answered by each.

The arguments are those of `celery/worker/control.py`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

from ...model.operations import commands as commands
from ...model.operations.outcome import Answer
from ..connection.remote_control import Reply
from ..polling.inspector import INSPECT_ARGUMENTS
from .ask import Asking, asking
from .declare import arguments_of
from .paused_queues import PausedQueues, identity
from .replies import judged
from .running import OperationContext, Refused

GOODBYE: Final = 10.0
"""Seconds in which a worker says good-bye: it does at once, whatever runs, but for a busy solo."""
LEAVING: Final = "it said good-bye: it takes no more tasks, and goes when what it runs has ended"
BEAT: Final = 5.0
"""Seconds in which a worker that was asked for a heartbeat is heard."""
TAKES_EFFECT: Final = 8.0
"""Seconds after its answer in which a worker consumes a queue, or does so no more. Its first quorum
queue costs it its connection to RabbitMQ, which knows no global prefetch there; it is back soon."""
ASKED_AGAIN: Final = 1.5
"""Seconds after which one that does not tell what it consumes is asked again."""
MAINTAINED: Final = 5.5
"""Seconds after which a pool has the processes that it was told to have: prefork sees to it every
5 s (`celery/concurrency/asynpool.py`)."""
STEP: Final = 0.1


def broadcast(doing: OperationContext) -> None:
    """Carry out any command to workers by name, but not `Drain`.

    Raises:
        Refused: Nobody is named, or a queue's consumer cannot be added without harm.
        Unsure: The connection broke while it was sent.
        Exception: Whatever the transport raises when the connection is lost.
    """
    command = cast(commands.WorkerOperation, doing.outcome.operation)
    if not command.workers:
        raise Refused("no worker is named: nobody would do it")
    arguments = command.arguments
    with asking(doing) as mailbox:
        if isinstance(command, commands.AddConsumer):
            arguments = arguments_of(doing, mailbox, command)
        if not command.replies:
            _watch(doing, mailbox, command)
        else:
            _ask(doing, mailbox, command, arguments)


def _ask(
    doing: OperationContext,
    mailbox: Asking,
    command: commands.WorkerOperation,
    arguments: Mapping[str, Any],
) -> None:
    expected = command.workers

    def took(reply: Reply) -> None:
        if reply.command == command.command and reply.worker in expected:
            doing.tell(workers={reply.worker: judged(reply)})

    mailbox.on_reply = took
    ticket = mailbox.send(command.command, arguments, expected)
    try:
        replies = mailbox.wait(ticket, expected)
    finally:
        silent = [name for name in expected if name not in mailbox.replies(ticket)]
        doing.tell(workers=dict.fromkeys(silent, Answer("silent", mailbox.silence())))
    willing = [name for name in expected if name in replies and replies[name].error is None]
    _remember(doing, command, willing)
    if command.inspected_by is None or not willing:
        return
    if isinstance(command, commands.AddConsumer | commands.CancelConsumer):
        # Until it is seen, what a worker agreed to is not called done.
        unseen = Answer("silent", "it agreed, and did not tell since what it consumes")
        doing.tell(workers=dict.fromkeys(willing, unseen))
        _check_consumers(doing, mailbox, command, willing)
    else:
        # The act is done: what goes wrong from here on does not undo it.
        with suppress(Exception):
            _show(mailbox, command.inspected_by, willing)
        if command.inspected_by == "stats":
            doing.afterwards = partial(_look_again, doing, command.inspected_by, willing)


def _show(mailbox: Asking, question: str, names: Sequence[str]) -> None:
    """Ask workers what the act has changed, so that the screen shows it."""
    ticket = mailbox.send(question, INSPECT_ARGUMENTS.get(question), names)
    mailbox.pass_on(mailbox.wait(ticket, names))


def _look_again(doing: OperationContext, question: str, names: Sequence[str]) -> None:
    """Ask once more, when pools have done what they agreed to."""
    if not doing.cancelled.wait(MAINTAINED):
        with asking(doing) as mailbox:
            _show(mailbox, question, names)


def _remember(
    doing: OperationContext, command: commands.WorkerOperation, willing: list[str]
) -> None:
    """Note whose events are off on purpose: nobody shall switch them on behind the user's back."""
    if isinstance(command, commands.DisableEvents):
        doing.roster.events_disabled |= set(willing)
    elif isinstance(command, commands.EnableEvents):
        doing.roster.events_disabled -= set(willing)


def _check_consumers(
    doing: OperationContext,
    mailbox: Asking,
    command: commands.AddConsumer | commands.CancelConsumer,
    willing: list[str],
) -> None:
    """See that what workers agreed to has come to pass: they answer before they do it."""
    wanted = isinstance(command, commands.AddConsumer)
    done = Answer("confirmed", "it consumes it" if wanted else "it consumes it no more")
    deadline = time.monotonic() + TAKES_EFFECT
    left = willing
    while True:
        ticket = mailbox.send("active_queues", None, left)
        replies = mailbox.wait(ticket, left, ASKED_AGAIN)
        mailbox.pass_on(replies)
        state = {name: consumes(replies.get(name), command.queue) for name in left}
        doing.tell(workers={name: done for name in left if state[name] is wanted})
        if wanted:
            # Its part in a pause is over.
            with suppress(OSError):
                taking = [name for name in left if state[name]]
                PausedQueues().forget(identity(doing.broker), command.queue, taking)
        left = [name for name in left if state[name] is not wanted]
        if not left or time.monotonic() > deadline or doing.cancelled.wait(STEP):
            break
    for name in left:
        if state[name] is not None:
            text = "does not consume it all the same" if wanted else "still consumes it"
            doing.tell(workers={name: Answer("refused", f"it agreed, and {text}")})


def consumes(reply: Reply | None, queue: str) -> bool | None:
    """Tell from its answer to `active_queues` whether a worker consumes a queue; None: unknown."""
    if reply is None or not isinstance(reply.value, list):
        return None
    return any(isinstance(one, dict) and one.get("name") == queue for one in reply.value)


def _watch(
    doing: OperationContext,
    mailbox: Asking,
    command: commands.WorkerOperation,
) -> None:
    """Send a command that nobody answers, and listen for what it brings about."""
    ending = isinstance(command, commands.Shutdown)
    began = time.monotonic()
    mailbox.tell(command.command, command.arguments, command.workers)
    deadline = began + (GOODBYE if ending else BEAT)
    left = set(command.workers)
    while left and time.monotonic() < deadline and not doing.cancelled.is_set():
        heard = {name for name in left if _heard(doing, name, ending) >= began}
        if heard:
            text = LEAVING if ending else "its heartbeat was heard"
            doing.tell(workers=dict.fromkeys(heard, Answer("confirmed", text)))
            left -= heard
        if left:
            what = "say good-bye" if ending else "be heard"
            stage = f"waiting for {len(left):,} to {what}"
            if doing.outcome.stage != stage:
                doing.tell(stage=stage)
            doing.cancelled.wait(STEP)
    text = (
        f"no good-bye within {GOODBYE:g} s: a worker that is busy in its main loop, as solo is, "
        "ends its task first"
        if ending
        else f"no heartbeat within {BEAT:g} s"
    )
    doing.tell(workers=dict.fromkeys(left, Answer("silent", text)), stage="")


def _heard(doing: OperationContext, name: str, ending: bool) -> float:
    """Return when a worker said good-bye, or when its heart beat, monotonic; 0 if never."""
    if ending:
        return doing.roster.offline_at.get(name, 0.0)
    member = doing.roster.members.get(name)
    return (member.heartbeat_at or 0.0) if member is not None else 0.0
