"""The outcome of an operation as JSON, schema `celtop.outcome/1`: a contract for scripts.

Names ending in `_at` are UTC times in ISO 8601. Fields may be added to version 1; none is removed
or renamed. The arguments of tasks are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from ..model.confirm.dispatch import Confirmation
from ..model.operations.commands import Operation, Trigger
from ..model.operations.outcome import Answer, Outcome, PublishedTask
from ..model.operations.summary import sentence
from ..model.text.units import iso
from .encoding import json
from .encoding.json import utf8, utf8_or_none

SCHEMA: Final = "celtop.outcome/1"
TARGET_FIELDS: Final = frozenset({"ids", "workers", "originals", "calls", "consumers", "examples"})
"""Fields of operations that hold targets, not parameters."""
CALL_FIELDS: Final = ("name", "queue", "priority", "countdown", "expires_in")


class AnswerRecord(msgspec.Struct, frozen=True, gc=False):
    """The verdict on one worker or target."""

    name: str
    verdict: str
    """`confirmed`, `refused`, `silent`, `unsure`, `unsent` or `restored`."""
    text: str
    workers: int | msgspec.UnsetType = msgspec.UNSET
    """How many workers share this name; left out if it is one."""


class SentRecord(msgspec.Struct, frozen=True, gc=False):
    """A task that was put into a queue."""

    id: str
    name: str
    queue: str
    sent_at: str | None
    retry_of: str | None


class ResultRecord(msgspec.Struct, frozen=True, gc=False):
    """How an awaited task ended."""

    id: str
    status: str
    value: msgspec.Raw
    """The return value, as `encode_value` writes it; null if the task failed. From an event it is
    the text of its repr."""
    exception: str | None
    traceback: str | None
    source: str
    """`backend` or `event`."""
    note: str | None
    """A remark on `value`."""


class OutcomeRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An operation that has ended, or a dry run."""

    schema: str
    command: str
    """The operation: `revoke`, `pool-grow`, `pause-queue`, ..."""
    parameters: dict[str, Any]
    dry_run: bool
    """Whether the operation was only described, not carried out."""
    good: bool | None
    """Whether every worker and target is confirmed; null for a dry run."""
    text: str
    """The outcome in one line."""
    began_at: str | None = None
    ended_at: str | None = None
    workers: list[AnswerRecord]
    targets: list[AnswerRecord]
    sent: list[SentRecord] = []
    count: int | None = None
    """How many messages or results were deleted, by a purge."""
    refusal: str | None
    fault: str | None = None
    unlogged: str | None = None
    """Why it is missing from the audit file."""
    result: ResultRecord | None = None
    """How the task ended, if it was awaited and has ended."""


def encode(outcome: Outcome, result: ResultRecord | None = None) -> bytes:
    """Return an outcome as UTF-8 JSON, indented by two spaces, with a final newline."""
    return json.encode(
        OutcomeRecord(
            schema=SCHEMA,
            command=outcome.operation.name,
            parameters=parameters(outcome.operation),
            dry_run=False,
            good=outcome.good,
            text=utf8(sentence(outcome)),
            began_at=iso(outcome.began_at),
            ended_at=iso(outcome.ended_at),
            workers=_answers(outcome.workers, outcome.namesakes),
            targets=_answers(outcome.targets),
            sent=[_sent(one) for one in outcome.sent],
            count=outcome.count,
            refusal=utf8_or_none(outcome.refusal),
            fault=None if outcome.fault is None else utf8(str(outcome.fault)),
            unlogged=utf8_or_none(outcome.unlogged),
            result=result,
        )
    )


def encode_value(value: object) -> bytes:
    """Return a result as UTF-8 JSON; a value that JSON cannot represent becomes its repr."""
    try:
        return msgspec.json.encode(value, enc_hook=str)
    except (OverflowError, RecursionError, TypeError, ValueError):
        # Numbers beyond 64 bits, lone surrogates, keys that are no text.
        return msgspec.json.encode(ascii(value))


def encode_plan(operation: Operation, confirmation: Confirmation) -> bytes:
    """Return a dry run in the same form: every worker and target is `unsent`."""
    unsent = Answer("unsent")
    return json.encode(
        OutcomeRecord(
            schema=SCHEMA,
            command=operation.name,
            parameters=parameters(operation),
            dry_run=True,
            good=None,
            text=utf8(confirmation.title),
            workers=_answers(dict.fromkeys(confirmation.expected_workers, unsent)),
            targets=_answers(dict.fromkeys(operation.targets, unsent)),
            refusal=utf8_or_none(confirmation.refusal),
        )
    )


def parameters(operation: Operation) -> dict[str, Any]:
    """Return the fields of an operation besides its targets; of one new task all but arguments."""
    fields = (name for name in operation.__struct_fields__ if name not in TARGET_FIELDS)
    found = {name: _plain(getattr(operation, name)) for name in fields}
    if isinstance(operation, Trigger) and len(operation.calls) == 1:
        call = operation.calls[0]
        found |= {name: _plain(getattr(call, name)) for name in CALL_FIELDS}
        found["eta_at"] = iso(call.eta_at)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return utf8(value) if isinstance(value, str) else value


def _answers(
    answers: Mapping[str, Answer], namesakes: Mapping[str, int] = MappingProxyType({})
) -> list[AnswerRecord]:
    return [
        AnswerRecord(
            utf8(name), answer.verdict, utf8(answer.text), namesakes.get(name, msgspec.UNSET)
        )
        for name, answer in answers.items()
    ]


def _sent(sent: PublishedTask) -> SentRecord:
    return SentRecord(sent.id, utf8(sent.name), utf8(sent.queue), iso(sent.at), sent.retry_of)
