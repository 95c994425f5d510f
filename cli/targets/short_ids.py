"""Shortened task ids, as celtop's own lists show them: the one task that they stand for.

Workers and backends know only full ids. A revoke of a shortened one would be confirmed by every
worker, and revoke nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from ...model.text.phrases import SHORT_ID_LENGTH
from ..exit_codes import CommandError, InvalidUsage
from .selection import discover_tasks

if TYPE_CHECKING:
    from ...cluster.session import Session

_SHORT_ID: Final = re.compile(rf"[0-9a-f]{{{SHORT_ID_LENGTH}}}(?:-[0-9a-f-]{{0,26}})?")
"""The beginning of a UUID."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_task_id(text: str) -> bool:
    """Return whether a text looks like a task id, shortened or not."""
    return _SHORT_ID.fullmatch(text) is not None or _UUID.fullmatch(text) is not None


def full_ids(session: Session, ids: Sequence[str]) -> tuple[str, ...]:
    """Return task ids with the shortened ones replaced by those of the tasks they stand for.

    Raises:
        InvalidUsage: Several tasks begin with a shortened id.
        CommandError: No known task does.
    """
    known = session.state.tasks
    short = [id_ for id_ in ids if _SHORT_ID.fullmatch(id_) and id_ not in known]
    if not short:
        return tuple(ids)
    from ...model.query.language import parse_query

    discover_tasks(session, 0.0, finished=parse_query(f"id:{','.join(f'{id_}*' for id_ in short)}"))
    full = {id_: _full_id(id_, known) for id_ in short if id_ not in known}
    return tuple(dict.fromkeys(full.get(id_, id_) for id_ in ids))


def _full_id(short: str, known: Iterable[str]) -> str:
    found = [id_ for id_ in known if id_.startswith(short)]
    if len(found) > 1:
        raise InvalidUsage(f"{len(found):,} task ids begin with {short}: {', '.join(found[:3])}")
    if not found:
        raise CommandError(f"No known task id begins with {short}. Pass the full id")
    return found[0]
