"""The arguments of a task as fields of a form, and what has to be changed in them before sending.

What was hidden by the user's patterns, cut or never known cannot be sent as it stands there. What
is left as it was goes out as the very value that is known, not as what its text reads as.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from ...model.ingest.redaction import Redaction
from ...model.operations.call import Call, Recovered, SentTask
from ...model.text import parse_json
from ...model.text.literals import parse_arguments
from ...model.text.masking import MASK
from ...model.text.parse import ParseError
from ...widgets.form.form import UNSET, FormField

LONGEST: Final = 20_000
"""Characters that are edited; longer arguments are sent as they are, or not at all."""
HIDDEN: Final = f"holds {MASK}: type what it stands for"
CUT: Final = "from its event, cut or not readable: type it whole"
UNKNOWN: Final = "not known: type it"
UNWRITABLE: Final = "cannot be written as JSON"


class Prefilled(NamedTuple):
    """What a form begins with."""

    call: Call
    """What is known besides the fields: time limits, headers, what it repeats."""
    args: FormField
    kwargs: FormField


def prefilled(
    known: Call | Recovered, redaction: Redaction, retry_of: str | None = None
) -> Prefilled:
    """Return the fields of what is known of a task; of nothing, empty ones."""
    if isinstance(known, Call):
        call = known
        args, kwargs = (
            _exact("args", call.args, redaction),
            _exact("kwargs", call.kwargs, redaction),
        )
    elif isinstance(known, SentTask):
        call = known.call
        if known.readable:
            args = _exact("args", call.args, redaction)
            kwargs = _exact("kwargs", call.kwargs, redaction)
        else:
            args, kwargs = _entry("args", flag=UNKNOWN), _entry("kwargs", flag=UNKNOWN)
    else:
        call = known.known or Call(name="")
        args = _told("args", known.args_text, call.args, redaction)
        kwargs = _told("kwargs", known.kwargs_text, call.kwargs, redaction)
    # The time at which an earlier one was to start is over, or was not told.
    call = msgspec.structs.replace(
        call, countdown=None, eta_at=None, retry_of=retry_of or call.retry_of
    )
    return Prefilled(call, args, kwargs)


def _exact(id_: str, value: Any, redaction: Redaction) -> FormField:
    """Return a field of a value that is known exactly."""
    shown = redaction.value(list(value) if id_ == "args" else value)
    try:
        text = parse_json.write(shown) if value else ""
        whole = not redaction.active or text == (
            parse_json.write(list(value) if id_ == "args" else value) if value else ""
        )
    except (TypeError, ValueError, RecursionError):
        return _entry(id_, flag=UNWRITABLE)
    if not whole:
        return _entry(id_, text, flag=HIDDEN)
    if len(text) > LONGEST:
        size = f"{len(text):,} characters, too long to edit: sent as they are"
        return _entry(id_, text, value=value, hint=size, shut=True)
    return _entry(id_, text, value=value)


def _told(id_: str, text: str | None, value: Any, redaction: Redaction) -> FormField:
    """Return a field of what an event tells, which is not certain to be all."""
    if value:
        return _exact(id_, value, redaction)
    if text is None:
        return _entry(id_, flag=UNKNOWN)
    if text in ("()", "[]", "{}"):
        return _entry(id_)
    # The one may be whole although the other is cut.
    found = parse_arguments(text, "{}") if id_ == "args" else parse_arguments("()", text)
    if not isinstance(found, str):
        return _exact(id_, found[0] if id_ == "args" else found[1], redaction)
    text = redaction.text(text)[:LONGEST]
    return _entry(id_, text, flag=HIDDEN if MASK in text else CUT)


def _entry(
    id_: str,
    text: str = "",
    *,
    flag: str | None = None,
    value: Any = UNSET,
    hint: str = "",
    shut: bool = False,
) -> FormField:
    reads: dict[str, tuple[str, Callable[[str], Any], str]] = {
        "args": ("Arguments", parse_json.read_list, 'as ["a", 1]'),
        "kwargs": ("Keywords", parse_json.read_mapping, 'as {"name": 1}'),
    }
    label, read, usual = reads[id_]
    if flag is not None:
        read = _without_mask(read, text)
    told = _counted if value is UNSET or not shut else None
    return FormField(
        id_,
        label,
        read,
        text,
        hint or usual,
        told,
        kind="shut" if shut else "area",
        value=value,
        flag=flag,
    )


def _counted(value: Any) -> str:
    number = len(value)
    return f"{number:,} value{'s' * (number != 1)}" if number else ""


def _without_mask(read: Callable[[str], Any], begun: str) -> Callable[[str], Any]:
    """Refuse a text that still holds what stands for something hidden."""
    if MASK not in begun:
        return read

    def strict(text: str) -> Any:
        if MASK in text:
            raise ParseError(HIDDEN)
        return read(text)

    return strict
