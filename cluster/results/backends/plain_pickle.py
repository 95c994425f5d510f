"""Reads plain values from a pickle without unpickling it.

Celery before 5.7 pickles every result in a database, regardless of `result_serializer` (issue
3025), and almost all of them are texts, numbers, lists and tables. A pickle is a small program;
this module reads only the opcodes that build such values. None of them can name a class or call
anything. A pickle with any other opcode is not read, unless the caller takes objects as `Inert`
descriptions.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, Final

import msgspec


class NotPlain(Exception):
    """The pickle contains other objects than plain values, or is broken."""


class Inert(msgspec.Struct, frozen=True):
    """An object that the pickle would make: described, never made.

    It may contain itself many times over: look at known classes and their arguments only.
    """

    of: Any
    """The dotted name of a class or function, or the object that would be called."""
    args: tuple[Any, ...]


_PUSH_OPCODES: Final = frozenset(
    {
        "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINUNICODE", "BINUNICODE",
        "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8",
    }
)  # fmt: skip
"""Opcodes that push their argument."""
_EMPTY_OPCODES: Final[dict[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_VALUES_TAKEN: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "SETITEM": 2}
"""The number of values that an opcode takes; the others take all since the last mark."""
_IGNORED_OPCODES: Final = frozenset({"PROTO", "FRAME"})
_OBJECT_OPCODES: Final = frozenset({"GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"})
MAX_REPEATED: Final = 32
"""Total size of repeated texts, as a multiple of the pickle's own size."""
_KEY_TYPES: Final = (str, bytes, int, float, type(None))


def read(data: bytes, *, objects: bool = False) -> Any:
    """Return the value of a pickle of protocol 2 or later.

    Args:
        data: The pickle.
        objects: Whether it may contain objects, which are returned as `Inert`.

    Raises:
        NotPlain: It contains other objects, the same list or table twice, or texts repeated to many
            times its own size.
    """
    try:
        return _read(data, objects=objects)
    except NotPlain:
        raise
    except Exception as error:  # a broken pickle may raise anything
        raise NotPlain(type(error).__name__) from None


def _read(data: bytes, *, objects: bool) -> Any:
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    repeated = 0
    for operation, value, _ in pickletools.genops(data):
        name = operation.name
        if name in _PUSH_OPCODES:
            stack.append(value)
        elif name in _EMPTY_OPCODES:
            stack.append(_EMPTY_OPCODES[name]())
        elif name == "MARK":
            marks.append(len(stack))
        elif name in _VALUES_TAKEN or name in ("TUPLE", "APPENDS", "SETITEMS"):
            start = len(stack) - _VALUES_TAKEN[name] if name in _VALUES_TAKEN else marks.pop()
            taken = stack[start:]
            del stack[start:]
            _build(name, stack, taken)
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if name == "MEMOIZE" else int(value or 0)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            known = memo[int(value or 0)]
            # Nested lists that each occur twice turn a few bytes into gigabytes.
            if objects and isinstance(known, list | dict | tuple) and _is_flat(known):
                # A copy: what is added to one of them later is not in the other.
                known = type(known)(known)
            elif not isinstance(known, str | bytes | int | float | Inert):
                raise NotPlain(name)
            if isinstance(known, str | bytes | list | dict | tuple):
                repeated += len(known)
                if repeated > MAX_REPEATED * len(data):
                    raise NotPlain(name)
            stack.append(known)
        elif name == "STOP":
            return stack.pop()
        elif objects and name in _OBJECT_OPCODES:
            _describe(name, value, stack)
        elif name not in _IGNORED_OPCODES:
            raise NotPlain(name)
    raise NotPlain("no end")


def _describe(name: str, value: Any, stack: list[Any]) -> None:
    """Replace what an opcode would make an object of by its description."""
    if name == "GLOBAL":
        stack.append(Inert(str(value).replace(" ", "."), ()))
    elif name == "STACK_GLOBAL":
        attribute, module = stack.pop(), stack.pop()
        stack.append(Inert(f"{module}.{attribute}", ()))
    elif name == "BUILD":
        stack.pop()  # its state
    else:
        args, called = stack.pop(), stack.pop()
        if not isinstance(called, Inert) or type(args) is not tuple:
            raise NotPlain(name)
        stack.append(Inert(called if called.args else called.of, args))


def _is_flat(values: Any) -> bool:
    """Return whether a collection contains no other."""
    inner = values.values() if isinstance(values, dict) else values
    return not any(isinstance(one, list | dict | tuple) for one in inner)


def _build(name: str, stack: list[Any], taken: list[Any]) -> None:
    """Add values to the list or table below them on the stack, or push them as a tuple."""
    if name.startswith("TUPLE"):
        stack.append(tuple(taken))
    elif name.startswith("APPEND") and type(stack[-1]) is list:
        stack[-1].extend(taken)
    elif name.startswith("SETITEM") and type(stack[-1]) is dict:
        keys = taken[::2]
        if not all(map(_is_key, keys)):
            raise NotPlain(name)
        stack[-1].update(zip(keys, taken[1::2], strict=True))
    else:
        raise NotPlain(name)


def _is_key(value: object) -> bool:
    # Python hashes nested tuples without a depth limit: its stack would overflow.
    if isinstance(value, tuple):
        return all(not isinstance(one, tuple) and _is_key(one) for one in value)
    # Larger numbers with equal hashes are easy to find, and a table of them takes forever.
    return isinstance(value, _KEY_TYPES) and not (isinstance(value, int) and abs(value) >> 63)
