"""From what a result backend keeps to a `ResultMeta`, without running any code of the app's.

Celery's own `AsyncResult` makes an exception of a failure: it looks the class up among the imported
modules and calls it, and fails over metas that were written by hand. Here it stays a description.
Nor is a pickle ever loaded: that would be running whatever the sender wants. Plain values are read
out of it (`plain_pickle`), no more.
"""

from __future__ import annotations

import json
import pickletools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import msgspec

from ....model.entities.result import READY_STATES, ResultMeta
from ....model.text.coerce import MAX_TIMESTAMP
from . import plain_pickle

_COMPRESSED: Final = b"\x00celery-compressed\x00"
"""Begins a payload that `result_compression` of Celery 5.7 made (`celery/backends/base.py`)."""
_MAX_INFLATED_BYTES: Final = 512 << 20
"""Bytes; as much as Redis can hold in one value."""
_EXCEPTION_STATES: Final = frozenset({"FAILURE", "REVOKED", "RETRY"})
"""`celery.states.EXCEPTION_STATES`, and the state of a task that is to be tried again."""
_PICKLE_HEAD_BYTES: Final = 400
"""Bytes of a pickle in which the state is looked for; it is the first thing in there."""
_MAX_CHILD_DEPTH: Final = 20
MAX_DEPTH: Final = 100
"""Levels of lists and tables in an entry. Python compares, masks and writes values by recursion,
and gives up at some hundreds: what gets in here can be handled everywhere."""
_STATUS: Final = re.compile(rb'\s*\{\s*"status":\s*"([^"\\]{1,60})"')


class Undecoded(Exception):
    """A payload that cannot be read; the text is a reason in a few words."""


NOT_DECODABLE: Final = "neither JSON nor MessagePack"


def load(payload: bytes | bytearray | memoryview | str | None) -> Any:
    """Return the value in a backend's payload: JSON, MessagePack, or a pickle of plain values.

    What kombu's JSON marks with a type is made that type; types of the app's own stay tables of
    `__type__` and `__value__`, which is also what they have to be sent as.

    Raises:
        Undecoded: It is a pickle of more than plain values, or nothing that is known.
    """
    if payload is None:
        return None
    data = payload.encode() if isinstance(payload, str) else bytes(payload)
    if data.startswith(_COMPRESSED):
        data = _decompress(data)
    try:
        value = _value(data)
    except RecursionError:
        raise Undecoded("nested too deeply") from None
    except plain_pickle.NotPlain:
        raise Undecoded("pickle") from None
    except (ValueError, msgspec.MsgspecError):
        raise Undecoded(NOT_DECODABLE) from None
    _refuse_depth(value)
    return value


def _value(data: bytes) -> Any:
    if _is_pickle(data):
        return plain_pickle.read(data)
    # A MessagePack table begins with one of these; no JSON text does.
    if data[:1] and (0x81 <= data[0] <= 0x8F or data[0] in (0xDE, 0xDF)):
        return msgspec.msgpack.decode(data)
    return json.loads(data.decode(), object_hook=_typed)


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | tuple | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise Undecoded("nested too deeply")


def from_payload(id_: str, payload: bytes | str) -> ResultMeta:
    """Return what a key-value backend keeps under a task's key."""
    try:
        found = load(payload)
    except Undecoded as reason:
        # What is broken may be half written: its state is not to be believed either.
        status = None if str(reason) == NOT_DECODABLE else _first_status(payload)
        return ResultMeta(id_, status, undecoded=str(reason))
    if not isinstance(found, Mapping):
        return ResultMeta(id_, None, undecoded="not a result of Celery's")
    return from_mapping(id_, found)


def from_mapping(
    id_: str,
    meta: Mapping[str, Any],
    *,
    undecoded: str | None = None,
    exact: bool = True,
    zone: tzinfo = UTC,
) -> ResultMeta:
    """Return a decoded entry, whose fields may be of any kind.

    Args:
        id_: The task's id.
        meta: The fields by Celery's names.
        undecoded: Why `result` is missing, if it could not be read.
        exact: Whether this backend keeps arguments as values, not as their repr.
        zone: Of a `date_done` that does not tell its own.
    """
    status = _text(meta.get("status"))
    result, args, kwargs = meta.get("result"), meta.get("args"), meta.get("kwargs")
    faulty = status in _EXCEPTION_STATES and undecoded is None
    headers = meta.get("stamped_headers")
    stamped = headers if isinstance(headers, list | tuple) else ()
    retries = meta.get("retries")
    return ResultMeta(
        id_,
        status,
        result,
        undecoded=undecoded,
        exception=exception_text(result) if faulty else None,
        traceback=_text(meta.get("traceback")),
        done_at=epoch(meta.get("date_done"), zone) if status in READY_STATES else None,
        name=_text(meta.get("name")),
        args=args,
        kwargs=kwargs,
        exact_arguments=exact and isinstance(args, list | tuple) and isinstance(kwargs, Mapping),
        worker=_text(meta.get("worker")),
        retries=retries if isinstance(retries, int) else None,
        queue=_text(meta.get("queue")),
        group_id=_text(meta.get("group_id")),
        parent_id=_text(meta.get("parent_id")),
        root_id=_text(meta.get("root_id")),
        children=tuple(dict.fromkeys(_ids(meta.get("children")))),
        stamps={str(key): meta[key] for key in stamped if isinstance(key, str) and key in meta},
    )


def exception_text(described: Any) -> str | None:
    """Return an exception as Python's repr would have it.

    Args:
        described: What `Backend.prepare_exception` makes of one, or what somebody gave to
            `update_state(state="FAILURE", meta=...)` by hand.
    """
    if described is None or isinstance(described, str):
        return described or None
    if not isinstance(described, Mapping) or not isinstance(described.get("exc_type"), str):
        return repr(described)
    message = described.get("exc_message", ())
    arguments = message if isinstance(message, list | tuple) else (message,)
    return f"{described['exc_type']}({', '.join(map(repr, arguments))})"


def epoch(when: Any, zone: tzinfo = UTC) -> float | None:
    """Return a time, as ISO 8601, a `datetime` or epoch seconds, as the latter; else None."""
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when)
        except ValueError:
            return None
    if isinstance(when, datetime):
        try:
            when = (when if when.tzinfo else when.replace(tzinfo=zone)).timestamp()
        except (OverflowError, ValueError):
            return None
    if not isinstance(when, int | float) or isinstance(when, bool):
        return None
    return float(when) if 0 <= when <= MAX_TIMESTAMP else None


def _typed(table: dict[str, Any]) -> Any:
    from kombu.utils.json import object_hook

    try:
        return object_hook(table)
    except Exception:  # an unknown type, or a value that is none of its type
        return table


def _decompress(data: bytes) -> bytes:
    import zlib

    kind, _, body = data[len(_COMPRESSED) :].partition(b"\x00")
    try:
        if kind == b"application/x-gzip":
            # Bounded, since a few bytes may hide more than there is memory.
            inflated = zlib.decompressobj()
            plain = inflated.decompress(body, _MAX_INFLATED_BYTES)
            if inflated.unconsumed_tail:
                raise Undecoded("too large when decompressed")
            return plain
        from kombu.compression import decompress

        return bytes(decompress(body, kind.decode()))
    except Undecoded:
        raise
    except Exception as error:  # each algorithm's library has its own
        named = kind.decode(errors="replace")[:60]
        raise Undecoded(f"compressed with {named}: {type(error).__name__}") from None


def _is_pickle(data: bytes) -> bool:
    # PROTO and its version; older ones begin with the bracket of a table, or a mark.
    return (data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")) or data[
        :2
    ] in (b"(d", b"}q")


def _first_status(payload: bytes | str) -> str | None:
    """Return the state in an entry that is not read, as far as it can be told without.

    Celery's metas begin with it; the first two texts in the pickle are its key and itself.
    """
    data = payload.encode() if isinstance(payload, str) else bytes(payload)
    try:
        if data.startswith(_COMPRESSED):
            data = _decompress(data)
        if found := _STATUS.match(data[:_PICKLE_HEAD_BYTES]):
            return found[1].decode(errors="replace")
        texts: list[str] = []
        for _, value, _ in pickletools.genops(data[:_PICKLE_HEAD_BYTES]):
            if isinstance(value, str):
                texts.append(value)
            if len(texts) == 2:
                return texts[1] if texts[0] == "status" else None
    except Exception:  # whatever is wrong with it, and the end of its head
        return None
    return None


def _ids(children: Any, levels: int = _MAX_CHILD_DEPTH) -> Iterator[str]:
    """Yield the ids in what `ResultBase.as_tuple` wrote: `[[id, parent], [children]]` of each."""
    if not isinstance(children, list | tuple) or not levels:
        return
    for child in children:
        if not isinstance(child, list | tuple) or not child:
            continue
        members = child[1] if len(child) > 1 else None
        if isinstance(members, list | tuple):
            yield from _ids(members, levels - 1)
            continue
        id_ = child[0][0] if isinstance(child[0], list | tuple) and child[0] else child[0]
        if isinstance(id_, str):
            yield id_


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
