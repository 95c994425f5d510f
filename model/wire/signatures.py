"""Reads the signatures in a task message: the rest of its chain, its chord's body, its callbacks.

They are in the third part of the body, in Celery's protocol 2: `[args, kwargs, {callbacks,
errbacks, chain, chord}]` (`celery/app/amqp.py`, `as_task_v2`). There are no events about a task
before it is sent, so the pending part of a workflow is known only from these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from ..text.coerce import MAX_NAME_LENGTH

SignatureRole: TypeAlias = Literal["step", "member", "body", "callback"]

MAX_SIGNATURES: Final = 1_000
"""Signatures read from one message; further ones are ignored."""
MAX_DEPTH: Final = 16
"""Levels of nested groups and chords."""

_NO_SIGNATURES: Final = re.compile(
    rb'\{"callbacks": ?null, ?"errbacks": ?null, ?"chain": ?null, ?"chord": ?null\}\]\s*$'
)


class PendingSignature(msgspec.Struct, frozen=True, gc=False):
    """A task that will be sent when another one has ended."""

    id: str
    name: str
    kind: SignatureRole
    after: str | None
    """The id of the task or group that it waits for."""
    group_id: str | None = None
    """The group that it will belong to."""


def has_signatures(end: bytes) -> bool:
    """Return whether a body may contain signatures, judging by its last 100 bytes."""
    return _NO_SIGNATURES.search(end) is None


def read_signatures(
    id_: str, body: bytes, group_id: str | None = None
) -> tuple[PendingSignature, ...]:
    """Return the tasks that will follow a task, the next one first.

    The body of its message must be JSON; the body of a chord waits for the task's group.
    """
    if not has_signatures(body[-100:]):
        return ()
    try:
        parts = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ()
    if not isinstance(parts, list) or len(parts) != 3 or not isinstance(parts[2], Mapping):
        return ()
    links = parts[2]
    reader = _SignatureReader()
    last: str | None = id_
    # The next step is the last in the list: Celery pops steps from its end.
    for signature in reversed(_list(links.get("chain"))):
        last = reader.read(signature, last, "step", None, 0)
    reader.read(links.get("chord"), group_id or id_, "body", None, 0)
    for signature in _list(links.get("callbacks")):
        reader.read(signature, id_, "callback", None, 0)
    return tuple(reader.found.values())


class _SignatureReader:
    def __init__(self) -> None:
        self.found: dict[str, PendingSignature] = {}

    def read(
        self,
        signature: Any,
        after: str | None,
        kind: SignatureRole,
        group_id: str | None,
        depth: int,
    ) -> str | None:
        """Read a signature; return the id of the task or group that the next one waits for."""
        if (
            not isinstance(signature, Mapping)
            or depth > MAX_DEPTH
            or len(self.found) >= MAX_SIGNATURES
        ):
            return after
        name, kwargs = signature.get("task"), signature.get("kwargs")
        inner: Mapping[str, Any] = kwargs if isinstance(kwargs, Mapping) else {}
        its_id = _option(signature, "task_id")
        if name == "celery.group":
            return self._members(inner.get("tasks"), after, its_id, depth)
        if name == "celery.chord":
            header = inner.get("header")
            its_id = _option(header, "task_id") if isinstance(header, Mapping) else None
            members = header
            if isinstance(header, Mapping):
                tasks = header.get("kwargs")
                members = tasks.get("tasks") if isinstance(tasks, Mapping) else None
            last = self._members(members, after, its_id, depth)
            return self.read(inner.get("body"), last, "body", group_id, depth + 1)
        if name == "celery.chain":
            last = after
            for step in _list(inner.get("tasks")):
                last = self.read(step, last, kind if last == after else "step", None, depth + 1)
            return last
        if its_id is None or not isinstance(name, str) or its_id in self.found:
            return after
        # The group id in a chord's body is that of the group it waits for.
        group_id = None if kind == "body" else _option(signature, "group_id") or group_id
        self.found[its_id] = PendingSignature(its_id, name[:MAX_NAME_LENGTH], kind, after, group_id)
        return its_id

    def _members(
        self, tasks: Any, after: str | None, group_id: str | None, depth: int
    ) -> str | None:
        for signature in _list(tasks):
            self.read(signature, after, "member", group_id, depth + 1)
        return group_id or after


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _option(signature: Mapping[str, Any], name: str) -> str | None:
    options = signature.get("options")
    value = options.get(name) if isinstance(options, Mapping) else None
    return value if isinstance(value, str) and 0 < len(value) <= MAX_NAME_LENGTH else None
