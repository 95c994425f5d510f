"""The arguments of a task, one by one: what is typed for a parameter, checked against its type.

Annotations are text (`int`, `Optional[str]`, `Literal['a', 'b']`): the app is never imported here.
What has no annotation is not checked, as Celery itself passes any argument on.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..entities.registered_task import Parameter
from ..text import parse, parse_json
from ..text.parse import ParseError
from ..text.sanitize import visible

DEFAULT: Final = object()
"""The value of a parameter that is not passed."""
MAX_SHOWN: Final = 60
"""Characters of a value in a message."""

_OPTIONAL: Final = re.compile(r"^Optional\[(.+)\]$|^Union\[(.+), ?None\]$", re.DOTALL)
_ALTERNATIVE: Final = re.compile(r" ?\| ?None$|^None ?\| ?")
_MODULE: Final = re.compile(r"\b(?:typing|t|collections\.abc|datetime|uuid|decimal)\.")
_TEXTS: Final = frozenset({"str", "datetime", "date", "time", "UUID", "Decimal", "Path"})
"""Types whose arguments are sent as text, and converted by the task."""
_LISTS: Final = frozenset(
    {"list", "List", "tuple", "Tuple", "set", "Set", "Sequence", "Iterable", "Collection"}
)
_OBJECTS: Final = frozenset({"dict", "Dict", "Mapping", "MutableMapping"})
_WORDS: Final = {"true": True, "false": False}


def reader(parameter: Parameter) -> Callable[[str], Any]:
    """Return what reads the typed text of a parameter; it raises `ParseError` with the reason.

    Blank text is `DEFAULT`, unless the parameter has to be passed.
    """
    if parameter.kind == "args":
        return parse_json.read_list
    if parameter.kind == "kwargs":
        return parse_json.read_mapping
    read = _reader(parameter.annotation)

    def read_argument(text: str) -> Any:
        if text.strip():
            return read(text)
        if parameter.default is None:
            raise ParseError(f"required{_of_type(parameter)}")
        return DEFAULT

    return read_argument


def hint(parameter: Parameter) -> str:
    """Return what to type for a parameter."""
    if parameter.kind == "args":
        return 'more positional arguments, e.g. ["a", 1]'
    if parameter.kind == "kwargs":
        return 'more keyword arguments, e.g. {"name": 1}'
    type_ = parameter.annotation or "JSON or text"
    return type_ if parameter.default is None else f"{type_}, default {parameter.default}"


def choices(parameter: Parameter) -> tuple[str, ...]:
    """Return the texts that a parameter may have; none if they are unlimited."""
    inner, _ = _without_none(parameter.annotation)
    if inner == "bool":
        return tuple(_WORDS)
    return tuple(str(value) for value in _literals(inner) or ())


def text_of(parameter: Parameter, value: Any) -> str:
    """Return the text that `reader` reads as this value.

    Raises:
        ParseError: No text does.
    """
    if value is DEFAULT:
        return ""
    try:
        candidates = [parse_json.write(value)] if value or not parameter.takes_rest else [""]
    except (TypeError, ValueError, RecursionError) as error:
        raise ParseError("cannot be written as JSON") from error
    if isinstance(value, str):
        candidates.insert(0, value)
    read = reader(parameter)
    for text in candidates:
        if _reads_as(read, text, value):
            return text
    raise ParseError(f"not of type {parameter.annotation}")


def by_parameter(
    parameters: Sequence[Parameter], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the value of each parameter; None if the arguments do not fit.

    A parameter that is not passed has the value `DEFAULT`.
    """
    found: dict[str, Any] = {}
    rest, named = list(args), dict(kwargs)
    for parameter in parameters:
        if parameter.kind == "args":
            found[parameter.name], rest = tuple(rest), []
        elif parameter.kind == "kwargs":
            found[parameter.name], named = named, {}
        elif parameter.kind != "keyword" and rest:
            found[parameter.name] = rest.pop(0)
        elif parameter.kind != "positional" and parameter.name in named:
            found[parameter.name] = named.pop(parameter.name)
        else:
            found[parameter.name] = DEFAULT
    return None if rest or named else found


def as_arguments(
    parameters: Sequence[Parameter], values: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the positional and keyword arguments that pass these values.

    Each is passed by keyword unless only its position can name it, as a message with names can be
    read, and survives a new order of the parameters.
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    rest = next((values[one.name] for one in parameters if one.kind == "args"), ())
    for parameter in parameters:
        value = values[parameter.name]
        if parameter.kind == "kwargs":
            kwargs.update(value)
        elif parameter.kind == "args":
            args.extend(value)
        elif value is DEFAULT:
            continue
        elif parameter.kind == "positional" or (rest and parameter.kind == "either"):
            args.append(value)
        else:
            kwargs[parameter.name] = value
    return tuple(args), kwargs


def problems(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a combination of values, by the name of the parameter."""
    found: dict[str, str] = {}
    rest = next((one.name for one in parameters if one.kind == "args"), None)
    gap: str | None = None
    for parameter in parameters:
        is_given = values.get(parameter.name, DEFAULT) is not DEFAULT
        by_position = parameter.kind == "positional" or (
            parameter.kind == "either" and bool(rest and values.get(rest))
        )
        if by_position and not is_given:
            gap = gap or parameter.name
        elif by_position and gap:
            found[gap] = f"has to be given because {parameter.name} is"
        if parameter.kind == "args" and gap and values.get(parameter.name):
            found[gap] = f"has to be given because {parameter.name} is"
        if parameter.kind == "kwargs":
            taken = {one.name for one in parameters if one.kind in ("either", "keyword")}
            if twice := sorted(taken & set(values.get(parameter.name) or ())):
                found[parameter.name] = f"{visible(twice[0], MAX_SHOWN)} has a field of its own"
    return found


# Reading by type


def _reader(annotation: str) -> Callable[[str], Any]:
    inner, takes_none = _without_none(annotation)
    read = _plain_reader(inner)
    if not takes_none:
        return read
    return lambda text: None if text.strip() in ("null", "None") else read(text)


def _plain_reader(annotation: str) -> Callable[[str], Any]:
    base = annotation.partition("[")[0]
    if base == "int":
        return parse.integer
    if base == "float":
        return _number
    if base == "bool":
        return _word
    if base in _TEXTS:
        return _text
    if base in _LISTS:
        return lambda text: list(parse_json.read_list(text))
    if base in _OBJECTS:
        return parse_json.read_mapping
    if (literals := _literals(annotation)) is not None:
        return lambda text: _one_of(literals, text)
    return _json_or_text


def _without_none(annotation: str) -> tuple[str, bool]:
    """Return a type without its `None`, and whether it had one."""
    plain = _MODULE.sub("", annotation.strip())
    if found := _OPTIONAL.match(plain):
        return found[1] or found[2], True
    rest = _ALTERNATIVE.sub("", plain)
    return rest, rest != plain


def _literals(annotation: str) -> tuple[Any, ...] | None:
    if not annotation.startswith("Literal[") or not annotation.endswith("]"):
        return None
    try:
        found = ast.literal_eval(f"({annotation[8:-1]},)")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return tuple(one for one in found if isinstance(one, str | int))


def _of_type(parameter: Parameter) -> str:
    return f": {parameter.annotation}" if parameter.annotation else ""


def _number(text: str) -> int | float:
    try:
        (value,) = parse_json.read_list(f"[{text}]")
    except (ParseError, ValueError):
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParseError(f"not a number: {visible(text.strip(), MAX_SHOWN)}")
    return value


def _word(text: str) -> bool:
    value = _WORDS.get(text.strip().lower())
    if value is None:
        raise ParseError("true or false")
    return value


def _text(text: str) -> str:
    r"""Read text as it is; in quotes as JSON, so that it can be empty or contain `\n`."""
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] == '"':
        (value,) = parse_json.read_list(f"[{stripped}]")
        return str(value)
    return text


def _one_of(literals: Sequence[Any], text: str) -> Any:
    for value in literals:
        if str(value) == text.strip():
            return value
    raise ParseError(f"one of {', '.join(map(str, literals))}")


def _json_or_text(text: str) -> Any:
    """Read JSON, otherwise text: what looks like neither is an error in JSON."""
    stripped = text.strip()
    if stripped[:1] in ("[", "{", '"'):
        return parse_json.read_list(f"[{stripped}]")[0]
    try:
        json.loads(stripped)
    except (ValueError, RecursionError):
        return text
    return parse_json.read_list(f"[{stripped}]")[0]


def _reads_as(read: Callable[[str], Any], text: str, value: Any) -> bool:
    try:
        found = read(text)
    except ParseError:
        return False
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(found, tuple):
        found = list(found)
    return type(found) is type(value) and found == value
