"""Revokes tasks by id, in blocks, and by stamp.

Workers keep revoked ids in memory, 50,000 of them for three hours; the broker stores nothing. So a
worker that is not connected does not receive them, and every worker must receive every id, because
any of them may take the task from its queue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from ....model.operations.commands import MAX_REVOKED_IDS, Revoke, RevokeStamped
from ....model.operations.outcome import MARKED_ONLY, UNCONFIRMED, Answer
from ....model.text.phrases import named
from ...connection.replies import Replies, Reply
from ..mailbox import REPLY_TIMEOUT, Mailbox, open_mailbox
from ..replies import CANNOT_TERMINATE, explain_error
from ..running import OperationContext, Refused, Unsure, perform
from .recheck import ended_tasks

BLOCK_IDS: Final = 500
"""Ids in one broadcast. A worker does nothing else until it has looked up all of them in its
result backend: a quarter of a second with a fast one, seconds with a slow one."""
BLOCK_BYTES: Final = 64 << 10
TIMEOUT_PER_ID: Final = 0.01
"""Seconds that a worker may take to look up one id in its result backend."""

NO_WORKERS: Final = "no worker is connected; a revocation is not stored and would be lost"


@perform.register
def revoke(operation: Revoke, context: OperationContext) -> None:
    """Carry out a `Revoke`.

    Raises:
        Refused: There are no workers, or more ids than a worker keeps.
    """
    if not operation.ids:
        raise Refused("no tasks are named")
    if not operation.workers:
        raise Refused(NO_WORKERS)
    if len(operation.ids) > MAX_REVOKED_IDS:
        raise Refused(
            f"{len(operation.ids):,} ids are more than the {MAX_REVOKED_IDS:,} that a worker "
            "keeps. Purge the queue, or revoke fewer tasks"
        )
    with open_mailbox(context) as mailbox:
        ended = ended_tasks(operation, context, mailbox)
        if ended:
            context.report(targets=ended)
        ids = tuple(id_ for id_ in operation.ids if id_ not in ended)
        if not ids:
            reasons = list(dict.fromkeys(answer.text for answer in ended.values()))
            raise Refused(", ".join(reasons))
        _Revocation(msgspec.structs.replace(operation, ids=ids), context, mailbox).run()


@perform.register
def revoke_stamped(operation: RevokeStamped, context: OperationContext) -> None:
    """Carry out a `RevokeStamped`.

    Raises:
        Refused: There are no workers, or no stamp is named.
    """
    if not operation.header or not operation.values:
        raise Refused("a stamp needs a header and at least one value")
    if not operation.workers:
        raise Refused(NO_WORKERS)
    arguments = {
        "headers": {operation.header: list(operation.values)},
        "terminate": operation.terminate,
        "signal": operation.signal,
    }
    with open_mailbox(context) as mailbox:
        command, expected = "revoke_by_stamped_headers", operation.workers
        try:
            mailbox.collect(command, arguments, None, expected=expected)
        finally:
            # Without a verdict on any worker, nothing was sent.
            if answers := list(context.outcome.workers.values()):
                context.report(targets=dict.fromkeys(operation.targets, _worst(answers)))


class _Revocation:
    """Sends ids in blocks, each when the one before has been replied to."""

    def __init__(self, operation: Revoke, context: OperationContext, mailbox: Mailbox) -> None:
        self._operation = operation
        self._context = context
        self._mailbox = mailbox
        self._blocks: list[tuple[tuple[str, ...], Replies]] = []
        """The blocks that were sent, and the replies to each."""
        self._timeout = REPLY_TIMEOUT
        self._broken = False
        """Whether the connection broke while a block was sent: it is unknown who received it."""

    def run(self) -> None:
        """Send all blocks; however it ends, what is certain by then is reported."""
        operation, done = self._operation, 0
        expected: Sequence[str] = operation.workers
        try:
            for ids in blocks(operation.ids):
                if self._context.cancelled.is_set():
                    break
                pending = self._send(ids)
                done += len(ids)
                self._context.report(stage=f"{done:,} of {len(operation.ids):,} sent")
                self._timeout = REPLY_TIMEOUT + TIMEOUT_PER_ID * len(ids)
                self._mailbox.wait(pending, expected, self._timeout)
                replies = pending.to("revoke")
                # A worker without a reply is not waited for again, until it replies.
                expected = [name for name in operation.workers if name in replies]
                self._report(ids, replies, self._still_running(ids, replies))
        finally:
            self._conclude()

    def _send(self, ids: tuple[str, ...]) -> Replies:
        operation = self._operation
        arguments: dict[str, Any] = {"task_id": list(ids)}
        if operation.terminate:
            arguments |= {"terminate": True, "signal": operation.signal}
        try:
            pending = self._mailbox.send("revoke", arguments)
        except Unsure as error:
            self._broken = True
            raise Unsure(str(error), (*ids, *operation.workers)) from error.__cause__
        self._blocks.append((ids, pending))
        return pending

    def _still_running(self, ids: tuple[str, ...], replies: Mapping[str, Reply]) -> dict[str, str]:
        """Return which tasks still run on workers that cannot terminate them, and where."""
        unable = [name for name, reply in replies.items() if _cannot_terminate(reply)]
        if not unable:
            return {}
        found = self._mailbox.ask("query_task", {"ids": list(ids)}, unable, expected=unable)
        running: dict[str, str] = {}
        for name in unable:
            value = found[name].value if name in found else None
            tasks = value if isinstance(value, dict) else dict.fromkeys(ids, ("active",))
            for id_ in ids:
                state = tasks.get(id_)
                if isinstance(state, list | tuple) and state and state[0] == "active":
                    running[id_] = name
        return running

    def _report(
        self,
        ids: tuple[str, ...],
        replies: Mapping[str, Reply],
        running: Mapping[str, str] | None = None,
    ) -> None:
        """Report the verdicts on the tasks of a block.

        The tasks in `running` could not be terminated by the named worker; None if it is unknown.
        """
        silent = [name for name in self._operation.workers if name not in replies]
        errors = [
            f"{name}: {explain_error(reply.error)}"
            for name, reply in replies.items()
            if reply.error is not None and not _cannot_terminate(reply)
        ]
        common = Answer("confirmed")
        if errors:
            common = Answer("refused", errors[0])
        elif silent:
            common = Answer("silent", f"no reply from {named(silent)}")
        targets = dict.fromkeys(ids, common)
        unable = [name for name, reply in replies.items() if _cannot_terminate(reply)]
        if running is None and unable:
            running = dict.fromkeys(ids, unable[0])
        if self._operation.terminate and not errors:
            running = running or {}
            held = {id_: name for name, reply in replies.items() for id_ in _held(reply, ids)}
            for id_ in ids:
                if id_ in running:
                    targets[id_] = Answer("refused", f"{running[id_]}: {CANNOT_TERMINATE}")
                elif id_ in held:
                    # A waiting task is skipped without a signal, and not every signal ends a task;
                    # `task-revoked` comes all the same.
                    text = f"{held[id_]} has it and sends {self._operation.signal} if it is running"
                    targets[id_] = Answer("confirmed", text)
                elif not silent:
                    targets[id_] = Answer("confirmed", MARKED_ONLY)
        self._context.report(targets=targets, workers=self._worker_answers())

    def _conclude(self) -> None:
        """Take late replies into account, and give the rest its verdict."""
        workers = self._operation.workers
        for ids, pending in self._blocks:
            known, replies = self._context.outcome.targets, pending.to("revoke")
            late = all(name in replies for name in workers)
            if late and any(id_ not in known or known[id_].verdict == "silent" for id_ in ids):
                self._report(ids, replies)
        answer = Answer("silent", self._mailbox.missing_reply(self._timeout))
        if self._broken:
            answer = Answer("unsure", "the connection broke while a block of ids was sent")
        missing = [name for name in workers if self._blocks and not self._replied_to_all(name)]
        targets = dict.fromkeys(
            (
                id_
                for ids, _ in self._blocks
                for id_ in ids
                if id_ not in self._context.outcome.targets
            ),
            answer,
        )
        answers = dict.fromkeys(missing, answer) | self._worker_answers()
        blocks = [block for _, block in self._blocks]
        self._context.report(
            workers=answers,
            targets=targets,
            stage="",
            namesakes=self._mailbox.namesakes(blocks, "revoke"),
        )

    def _worker_answers(self) -> dict[str, Answer]:
        """Return the verdicts on the workers that have replied to every block."""
        replies = [reply for _, block in self._blocks for reply in block.to("revoke").values()]
        errors = {
            reply.worker: Answer("refused", explain_error(reply.error))
            for reply in replies
            if reply.error is not None
        }
        names = {reply.worker for reply in replies}
        done = {name: Answer("confirmed") for name in names if self._replied_to_all(name)}
        blocks = [block for _, block in self._blocks]
        return done | self._mailbox.incomplete(blocks, "revoke") | errors

    def _replied_to_all(self, name: str) -> bool:
        return not self._broken and all(name in block.to("revoke") for _, block in self._blocks)


def blocks(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Divide ids, without duplicates, into blocks of limited size."""
    block: list[str] = []
    size = 0
    for id_ in dict.fromkeys(ids):
        length = len(id_.encode("utf-8", "replace")) + 4
        if block and (len(block) >= BLOCK_IDS or size + length > BLOCK_BYTES):
            yield tuple(block)
            block, size = [], 0
        block.append(id_)
        size += length
    if block:
        yield tuple(block)


def _cannot_terminate(reply: Reply) -> bool:
    return reply.error is not None and "NotImplementedError" in reply.error


def _held(reply: Reply, ids: Sequence[str]) -> set[str]:
    """Return the tasks that a worker has and terminates, by its reply: `terminate: ID, ID`."""
    text = reply.value.get("ok") if isinstance(reply.value, dict) else None
    found = str(text).removeprefix("terminate: ") if text else ""
    return set(found.split(", ")) & set(ids)


def _worst(answers: Sequence[Answer]) -> Answer:
    ranked = (one for verdict in UNCONFIRMED for one in answers if one.verdict == verdict)
    return next(ranked, Answer("confirmed"))
