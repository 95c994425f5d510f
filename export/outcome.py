"""What came of an act as JSON: the contract that scripts rely on.

Names ending in `_at` are UTC times in ISO 8601. Fields may be added to version 1, none is removed
or renamed. Arguments of tasks are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ..model.confirm.dispatch import Confirmation
from ..model.operations.commands import AnyOperation, PauseQueue, ResumeQueue, Trigger
from ..model.operations.outcome import Answer, Outcome, PublishedTask
from ..model.operations.summary import sentence
from ..model.text.units import iso

SCHEMA: Final = "celtop.outcome/1"
_TARGETS: Final = frozenset({"ids", "workers", "originals", "calls", "consumers"})
"""Fields of commands that say to what it is done, not what."""
_OF_A_CALL: Final = ("name", "queue", "priority", "countdown", "expires_in")


class AnswerRecord(msgspec.Struct, frozen=True, gc=False):
    """What one worker said, or what became of one target."""

    name: str
    verdict: str
    """`confirmed`, `refused`, `silent`, `unsure` or `unsent`."""
    text: str


class SentRecord(msgspec.Struct, frozen=True, gc=False):
    """A task that was put into a queue."""

    id: str
    name: str
    queue: str
    sent_at: str | None
    retry_of: str | None


class ResultRecord(msgspec.Struct, frozen=True, gc=False):
    """How a task ended that was waited for."""

    id: str
    status: str
    value: msgspec.Raw
    """What it returned, as `encode_value` writes it; null if it failed. From an event it is the
    text of its repr."""
    exception: str | None
    traceback: str | None
    source: str
    """`backend` or `event`."""
    note: str | None
    """What is to be known of `value`."""


class OutcomeRecord(msgspec.Struct, frozen=True, gc=False):
    """An act that has ended, or that would be done."""

    schema: str
    command: str
    """What was done: `revoke`, `pool-grow`, `pause-queue`, ..."""
    parameters: dict[str, Any]
    dry_run: bool
    """Whether nothing was done, because nothing was to be done."""
    good: bool | None
    """Whether everyone confirmed everything; null of a dry run."""
    text: str
    """The outcome in one line."""
    began_at: str | None
    ended_at: str | None
    workers: list[AnswerRecord]
    targets: list[AnswerRecord]
    sent: list[SentRecord]
    count: int | None
    """Messages that were deleted, where that is what it does."""
    refusal: str | None
    fault: str | None
    unlogged: str | None
    """Why it is not in the audit file, if it should be."""
    result: ResultRecord | None = None
    """How the task ended, if it was waited for and has."""


def encode(outcome: Outcome, result: ResultRecord | None = None) -> bytes:
    """Return what came of an act as UTF-8 JSON, indented by two and ended by a newline."""
    return _encoded(
        OutcomeRecord(
            schema=SCHEMA,
            command=kind(outcome.command),
            parameters=parameters(outcome.command),
            dry_run=False,
            good=outcome.good,
            text=_text(sentence(outcome)),
            began_at=iso(outcome.began_at),
            ended_at=iso(outcome.ended_at),
            workers=_answers(outcome.workers),
            targets=_answers(outcome.targets),
            sent=[_sent(one) for one in outcome.sent],
            count=outcome.count,
            refusal=_maybe(outcome.refusal),
            fault=None if outcome.fault is None else _text(str(outcome.fault)),
            unlogged=_maybe(outcome.unlogged),
            result=result,
        )
    )


def encode_value(value: object) -> bytes:
    """Return a result as UTF-8 JSON; what JSON cannot hold is its text, as Python writes it."""
    try:
        return msgspec.json.encode(value, enc_hook=str)
    except (OverflowError, RecursionError, TypeError, ValueError):
        # Numbers beyond 64 bits, lone surrogates, keys that are no text.
        return msgspec.json.encode(ascii(value))


def encode_plan(command: AnyOperation, asked: Confirmation) -> bytes:
    """Return what would be done, in the same form: `unsent` to every worker and target."""
    unsent = Answer("unsent")
    return _encoded(
        OutcomeRecord(
            schema=SCHEMA,
            command=kind(command),
            parameters=parameters(command),
            dry_run=True,
            good=None,
            text=_text(asked.title),
            began_at=None,
            ended_at=None,
            workers=_answers(dict.fromkeys(asked.expected_workers, unsent)),
            targets=_answers(dict.fromkeys(_targets(command), unsent)),
            sent=[],
            count=None,
            refusal=_maybe(asked.refusal),
            fault=None,
            unlogged=None,
        )
    )


def kind(command: AnyOperation) -> str:
    """Return a command's name: `PoolGrow` is `pool-grow`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(command).__name__).lower()


def parameters(command: AnyOperation) -> dict[str, Any]:
    """Return what a command says besides its targets; of one new task all but its arguments."""
    fields = command.__struct_fields__
    said = {name: _plain(getattr(command, name)) for name in fields if name not in _TARGETS}
    if isinstance(command, Trigger) and len(command.calls) == 1:
        call = command.calls[0]
        said |= {name: _plain(getattr(call, name)) for name in _OF_A_CALL}
        said["eta_at"] = iso(call.eta_at)
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return _text(value) if isinstance(value, str) else value


def _targets(command: AnyOperation) -> tuple[str, ...]:
    if isinstance(command, PauseQueue | ResumeQueue):
        return (command.queue,)
    ids: tuple[str, ...] = getattr(command, "ids", ())
    return ids or tuple(original.id for original in getattr(command, "originals", ()))


def _answers(answers: Mapping[str, Answer]) -> list[AnswerRecord]:
    return [
        AnswerRecord(_text(name), answer.verdict, _text(answer.text))
        for name, answer in answers.items()
    ]


def _sent(sent: PublishedTask) -> SentRecord:
    return SentRecord(sent.id, _text(sent.name), _text(sent.queue), iso(sent.at), sent.retry_of)


def _encoded(record: OutcomeRecord) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def _text(text: str) -> str:
    """Return a text that UTF-8 can hold: a lone surrogate is spelt out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _maybe(text: str | None) -> str | None:
    return None if text is None else _text(text)
