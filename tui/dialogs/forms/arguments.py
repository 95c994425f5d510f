"""The arguments of a task as form fields.

A redacted, truncated or unknown argument cannot be sent unchanged. An unchanged field is sent as
the exact value that is known, not as a value parsed from its text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from ....model.entities.registered_task import Parameter
from ....model.ingest.redaction import Redaction
from ....model.operations import arguments
from ....model.operations.call import Call, Recovered, SentTask
from ....model.text import parse_json
from ....model.text.literals import parse_arguments
from ....model.text.masking import MASK
from ....model.text.parse import ParseError
from ....widgets.form.field import UNSET, FormField

MAX_EDITED: Final = 20_000
"""Characters; longer arguments are sent unchanged, or not at all."""
HIDDEN: Final = f"contains {MASK}: type the real value"
CUT: Final = "truncated or unreadable in its event: type the full value"
UNKNOWN: Final = "unknown: type the value"
UNWRITABLE: Final = "cannot be written as JSON"
PREFIX: Final = "argument:"
"""Before the name of a parameter in the id of its field."""


class Prefilled(NamedTuple):
    """The initial call and argument fields of a form."""

    call: Call
    """Values without a field: time limits, headers, the id of the retried task."""
    args: FormField
    kwargs: FormField


def prefilled(
    known: Call | Recovered, redaction: Redaction, retry_of: str | None = None
) -> Prefilled:
    """Return the argument fields of a task; empty ones if nothing is known."""
    if isinstance(known, SentTask) and not known.readable:
        call = known.call
        args, kwargs = _field("args", flag=UNKNOWN), _field("kwargs", flag=UNKNOWN)
    elif isinstance(known, Call | SentTask):
        call = known if isinstance(known, Call) else known.call
        args = _exact("args", call.args, redaction)
        kwargs = _exact("kwargs", call.kwargs, redaction)
    else:
        call = known.known or Call(name="")
        args = _from_event("args", known.args_text, call.args, redaction)
        kwargs = _from_event("kwargs", known.kwargs_text, call.kwargs, redaction)
    # The ETA of an earlier task has passed, or is unknown.
    call = msgspec.structs.replace(
        call, countdown=None, eta_at=None, retry_of=retry_of or call.retry_of
    )
    return Prefilled(call, args, kwargs)


def fields_of(parameters: Sequence[Parameter], known: Prefilled | None) -> list[FormField] | None:
    """Return a field for each parameter of a task, with the known arguments.

    Args:
        parameters: The parameters.
        known: The arguments to begin with; None for those of a new task.

    Returns:
        None if the known arguments cannot be edited one by one.
    """
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}
    if known is not None:
        if any(one.flag or one.kind == "read_only" for one in (known.args, known.kwargs)):
            return None
        args = () if known.args.value is UNSET else known.args.value
        kwargs = {} if known.kwargs.value is UNSET else known.kwargs.value
    values = arguments.by_parameter(parameters, args, kwargs)
    if values is None:
        return None
    try:
        return [_parameter_field(one, values[one.name]) for one in parameters]
    except ParseError:
        return None


def read_arguments(
    parameters: Sequence[Parameter], values: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of the valid fields of `fields_of`, without those that are missing."""
    named = {
        one.name: values[PREFIX + one.name] for one in parameters if PREFIX + one.name in values
    }
    return arguments.as_arguments([one for one in parameters if one.name in named], named)


def argument_problems(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, str]:
    """Return the problems of a combination of arguments, by the id of the field."""
    named = {
        one.name: values[PREFIX + one.name] for one in parameters if PREFIX + one.name in values
    }
    return {PREFIX + name: why for name, why in arguments.problems(parameters, named).items()}


def _parameter_field(parameter: Parameter, value: Any) -> FormField:
    text = "" if value is arguments.DEFAULT else arguments.text_of(parameter, value)
    return FormField(
        PREFIX + parameter.name,
        {"args": "*", "kwargs": "**"}.get(parameter.kind, "") + parameter.name,
        arguments.reader(parameter),
        text,
        arguments.hint(parameter),
        lambda value: "" if value is arguments.DEFAULT else _as_sent(parameter, value),
        kind="area" if parameter.takes_rest else "line",
        options=arguments.choices(parameter),
    )


def _as_sent(parameter: Parameter, value: Any) -> str:
    """Return how a value is sent, if that is not plain from its parameter's type."""
    if parameter.takes_rest:
        return _value_count(value)
    return "" if parameter.annotation else f"sent as {parse_json.write(value)}"


def _exact(id_: str, value: Any, redaction: Redaction) -> FormField:
    """Return the field of a value that is known exactly."""
    plain = list(value) if id_ == "args" else value
    shown = redaction.value(plain)
    try:
        text = parse_json.write(shown) if value else ""
        whole = not value or not redaction.active or text == parse_json.write(plain)
    except (TypeError, ValueError, RecursionError):
        return _field(id_, flag=UNWRITABLE)
    if not whole:
        return _field(id_, text, flag=HIDDEN)
    if len(text) > MAX_EDITED:
        size = f"{len(text):,} characters: too long to edit, sent unchanged"
        return _field(id_, text, value=value, hint=size, read_only=True)
    return _field(id_, text, value=value)


def _from_event(id_: str, text: str | None, value: Any, redaction: Redaction) -> FormField:
    """Return the field of a text from an event, which may be truncated."""
    if value:
        return _exact(id_, value, redaction)
    if text is None:
        return _field(id_, flag=UNKNOWN)
    if text in ("()", "[]", "{}"):
        return _field(id_)
    # One of the two may be complete although the other is truncated.
    found = parse_arguments(text, "{}") if id_ == "args" else parse_arguments("()", text)
    if not isinstance(found, str):
        return _exact(id_, found[0] if id_ == "args" else found[1], redaction)
    text = redaction.text(text)[:MAX_EDITED]
    return _field(id_, text, flag=HIDDEN if MASK in text else CUT)


def _field(
    id_: str,
    text: str = "",
    *,
    flag: str | None = None,
    value: Any = UNSET,
    hint: str = "",
    read_only: bool = False,
) -> FormField:
    reads: dict[str, tuple[str, Callable[[str], Any], str]] = {
        "args": ("Args", parse_json.read_list, 'e.g. ["a", 1]'),
        "kwargs": ("Kwargs", parse_json.read_mapping, 'e.g. {"name": 1}'),
    }
    label, read, example = reads[id_]
    if flag is not None:
        read = _without_mask(read, text)
    explain = _value_count if value is UNSET or not read_only else None
    return FormField(
        id_,
        label,
        read,
        text,
        hint or example,
        explain,
        kind="read_only" if read_only else "area",
        value=value,
        flag=flag,
    )


def _value_count(value: Any) -> str:
    number = len(value)
    return f"{number:,} value{'s' * (number != 1)}" if number else ""


def _without_mask(read: Callable[[str], Any], initial: str) -> Callable[[str], Any]:
    """Return a reader that refuses a text with the redaction mask in it."""
    if MASK not in initial:
        return read

    def strict(text: str) -> Any:
        if MASK in text:
            raise ParseError(HIDDEN)
        return read(text)

    return strict
