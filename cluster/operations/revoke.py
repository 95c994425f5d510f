"""Revoking tasks by id, in blocks, and by stamp.

Workers remember revoked ids in memory, 50,000 of them for three hours; nothing is stored on the
broker. So who is not connected hears nothing, and every worker must hear of every id: whichever
takes the task from its queue must know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from ...model.operations.commands import Revoke, RevokeStamped
from ...model.operations.outcome import MARKED_ONLY, UNCONFIRMED, Answer
from ...model.text.phrases import named
from ..connection.remote_control import Reply
from .ask import PATIENCE, Asking, asking
from .replies import CANNOT_TERMINATE, explained, judged
from .running import OperationContext, Refused, Unsure

MOST: Final = 50_000
"""Ids that a worker remembers (`REVOKES_MAX`): with one more it forgets another."""
BLOCK: Final = 500
"""Ids in one broadcast. The worker hears and says nothing else until it is through with them: with
a result backend next door a quarter of a second, with a slow one seconds."""
BLOCK_BYTES: Final = 64 << 10
LOOK_UP: Final = 0.01
"""Seconds that a worker may take over an id: it looks each one up in its result backend."""

NOBODY: Final = "no worker is connected: a revoke is not stored anywhere, and would be lost"


def revoke(doing: OperationContext) -> None:
    """Carry out a `Revoke`.

    Raises:
        Refused: Nobody is there to hear it, or there are more ids than a worker remembers.
        Unsure: The connection broke while a block was sent.
        Exception: Whatever the transport raises when the connection is lost.
    """
    command = cast(Revoke, doing.outcome.operation)
    if not command.ids:
        raise Refused("no task is named")
    if not command.workers:
        raise Refused(NOBODY)
    if len(command.ids) > MOST:
        raise Refused(
            f"a worker remembers {MOST:,} revoked ids, and these are {len(command.ids):,}: it "
            "would forget the first before they are due. Purge the queue, or revoke fewer"
        )
    with asking(doing) as mailbox:
        _Blocks(doing, mailbox, command).run()


def revoke_stamped(doing: OperationContext) -> None:
    """Carry out a `RevokeStamped`.

    Raises:
        Refused: Nobody is there to hear it, or no stamp is named.
        Unsure: The connection broke while it was sent.
        Exception: Whatever the transport raises when the connection is lost.
    """
    command = cast(RevokeStamped, doing.outcome.operation)
    if not command.header or not command.values:
        raise Refused("no stamp is named: a header and at least one value")
    if not command.workers:
        raise Refused(NOBODY)
    arguments = {
        "headers": {command.header: list(command.values)},
        "terminate": command.terminate,
        "signal": command.signal,
    }
    targets = [f"{command.header}={value}" for value in command.values]
    with asking(doing) as mailbox:
        mailbox.on_reply = lambda reply: doing.tell(workers={reply.worker: judged(reply)})
        ticket = mailbox.send("revoke_by_stamped_headers", arguments)
        try:
            mailbox.wait(ticket, command.workers)
        finally:
            known = mailbox.replies(ticket)
            silent = [name for name in command.workers if name not in known]
            doing.tell(workers=dict.fromkeys(silent, Answer("silent", mailbox.silence())))
            worst = _worst(list(doing.outcome.workers.values()))
            doing.tell(targets=dict.fromkeys(targets, worst))


class _Blocks:
    """The blocks of one revocation: one is sent when the one before has been answered."""

    def __init__(self, doing: OperationContext, mailbox: Asking, command: Revoke) -> None:
        self._doing = doing
        self._mailbox = mailbox
        self._command = command
        self._sent: list[tuple[str, tuple[str, ...]]] = []
        self._patience = PATIENCE
        self._doubtful = False
        """Whether the connection broke while a block was sent, so that nobody knows who has it."""

    def run(self) -> None:
        """Send all blocks; whatever stops it, what is certain by then is told."""
        command, done = self._command, 0
        awaited: Sequence[str] = command.workers
        try:
            for ids in blocks(command.ids):
                if self._doing.cancelled.is_set():
                    break
                ticket = self._send(ids)
                done += len(ids)
                self._doing.tell(stage=f"{done:,} of {len(command.ids):,} sent")
                self._patience = PATIENCE + LOOK_UP * len(ids)
                replies = self._mailbox.wait(ticket, awaited, self._patience)
                # Whoever was silent once is not waited for again, unless it speaks up.
                awaited = [name for name in command.workers if name in replies]
                self._tell(ticket, ids, self._still_running(replies, ids))
        finally:
            self._conclude()

    def _send(self, ids: tuple[str, ...]) -> str:
        command = self._command
        arguments: dict[str, Any] = {"task_id": list(ids)}
        if command.terminate:
            arguments |= {"terminate": True, "signal": command.signal}
        try:
            ticket = self._mailbox.send("revoke", arguments)
        except Unsure as error:
            self._doubtful = True
            raise Unsure(str(error), (*ids, *command.workers)) from error.__cause__
        self._sent.append((ticket, ids))
        return ticket

    def _still_running(self, replies: Mapping[str, Reply], ids: tuple[str, ...]) -> dict[str, str]:
        """Return, of those tasks that a worker could not end, which still run, and on which."""
        unable = [name for name, reply in replies.items() if _cannot_terminate(reply)]
        if not unable:
            return {}
        ticket = self._mailbox.send("query_task", {"ids": list(ids)}, unable)
        found = self._mailbox.wait(ticket, unable)
        running: dict[str, str] = {}
        for name in unable:
            value = found[name].value if name in found else None
            known = value if isinstance(value, dict) else dict.fromkeys(ids, ("active",))
            for id_ in ids:
                state = known.get(id_)
                if isinstance(state, list | tuple) and state and state[0] == "active":
                    running[id_] = name
        return running

    def _tell(
        self, ticket: str, ids: tuple[str, ...], running: Mapping[str, str] | None = None
    ) -> None:
        """Tell what has become of a block's tasks.

        Args:
            ticket: The block's.
            ids: The tasks in it.
            running: Those that could not be ended, and where; None if nobody could be asked.
        """
        replies = self._mailbox.replies(ticket)
        silent = [name for name in self._command.workers if name not in replies]
        angry = [
            f"{name}: {explained(reply.error)}"
            for name, reply in replies.items()
            if reply.error is not None and not _cannot_terminate(reply)
        ]
        common = Answer("confirmed")
        if angry:
            common = Answer("refused", angry[0])
        elif silent:
            common = Answer("silent", f"no answer from {named(silent)}")
        targets = dict.fromkeys(ids, common)
        unable = [name for name, reply in replies.items() if _cannot_terminate(reply)]
        if running is None and unable:
            running = dict.fromkeys(ids, unable[0])
        if self._command.terminate and not angry:
            running = running or {}
            told = {
                id_: name for name, reply in replies.items() for id_ in _told_to_end(reply, ids)
            }
            for id_ in ids:
                if id_ in running:
                    targets[id_] = Answer("refused", f"{running[id_]}: {CANNOT_TERMINATE}")
                elif id_ in told:
                    # The signal is sent; to what waits there yet, none is: it is skipped. Nor does
                    # each signal end each task: `task-revoked` comes all the same.
                    words = f"{told[id_]} has it: {self._command.signal} is sent if it runs"
                    targets[id_] = Answer("confirmed", words)
                elif not silent:
                    targets[id_] = Answer("confirmed", MARKED_ONLY)
        self._doing.tell(targets=targets, workers=self._workers())

    def _conclude(self) -> None:
        """Take in what was answered late."""
        for ticket, ids in self._sent:
            known = self._doing.outcome.targets
            late = all(name in self._mailbox.replies(ticket) for name in self._command.workers)
            if late and any(id_ not in known or known[id_].verdict == "silent" for id_ in ids):
                self._tell(ticket, ids)
        silence = Answer("silent", self._mailbox.silence(self._patience))
        if self._doubtful:
            silence = Answer("unsure", "the connection broke while a block of ids was sent")
        unheard = [name for name in self._command.workers if self._sent and not self._all(name)]
        targets = dict.fromkeys(
            (id_ for _, ids in self._sent for id_ in ids if id_ not in self._doing.outcome.targets),
            silence,
        )
        workers = dict.fromkeys(unheard, silence) | self._workers()
        self._doing.tell(workers=workers, targets=targets, stage="")

    def _workers(self) -> dict[str, Answer]:
        """Return what the workers that have answered every block said, known before or not."""
        told: dict[str, Answer] = {}
        for ticket, _ in self._sent:
            for name, reply in self._mailbox.replies(ticket).items():
                if reply.error is not None:
                    told[name] = Answer("refused", explained(reply.error))
        everyone = {name for ticket, _ in self._sent for name in self._mailbox.replies(ticket)}
        return {name: Answer("confirmed") for name in everyone if self._all(name)} | told

    def _all(self, name: str) -> bool:
        return not self._doubtful and all(
            name in self._mailbox.replies(ticket) for ticket, _ in self._sent
        )


def blocks(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Divide ids, each once, into blocks of bounded size."""
    block: list[str] = []
    size = 0
    for id_ in dict.fromkeys(ids):
        length = len(id_.encode("utf-8", "replace")) + 4
        if block and (len(block) >= BLOCK or size + length > BLOCK_BYTES):
            yield tuple(block)
            block, size = [], 0
        block.append(id_)
        size += length
    if block:
        yield tuple(block)


def _cannot_terminate(reply: Reply) -> bool:
    return reply.error is not None and "NotImplementedError" in reply.error


def _told_to_end(reply: Reply, ids: Sequence[str]) -> set[str]:
    """Return which tasks a worker has, running or waiting, and terminates: `terminate: ID, ID`."""
    text = reply.value.get("ok") if isinstance(reply.value, dict) else None
    named = str(text).removeprefix("terminate: ") if text else ""
    return set(named.split(", ")) & set(ids)


def _worst(answers: Sequence[Answer]) -> Answer:
    for verdict in UNCONFIRMED:
        for answer in answers:
            if answer.verdict == verdict:
                return answer
    return Answer("confirmed")
