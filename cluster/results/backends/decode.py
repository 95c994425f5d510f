"""Decodes a result backend's entries into `ResultMeta`, without running any of the app's code.

Celery's own `AsyncResult` turns a failure into an exception: it looks up the class in the imported
modules and calls it, and fails on entries written by hand. Here it stays a description. Pickles are
never loaded, which would run the sender's code; only plain values are read from them
(`plain_pickle`).
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
from ...connection.decompression import DecompressionError, decompress
from . import plain_pickle

_COMPRESSED: Final = b"\x00celery-compressed\x00"
"""Prefix of a payload that `result_compression` compressed (`celery/backends/base.py` of 5.7)."""
_EXCEPTION_STATES: Final = frozenset({"FAILURE", "REVOKED", "RETRY"})
"""States whose result describes an exception: `celery.states.EXCEPTION_STATES`."""
_REPORT_FIELDS: Final = frozenset(
    {"status", "result", "traceback", "children", "date_done", "task_id"}
)
"""The fields of every entry; all others are optional."""
_PICKLE_HEAD_BYTES: Final = 400
"""Bytes of a pickle that are searched for the state, which comes first."""
_MAX_CHILD_DEPTH: Final = 20
MAX_DEPTH: Final = 100
"""Levels of lists and tables in an entry. Python compares and encodes values recursively and fails
at some hundreds of levels: an entry within this limit can be processed everywhere."""
MAX_RESULT_BYTES: Final = 256 << 10
"""Bytes of a result that is read with others: decoded, larger ones would take much memory."""
_TYPE_KEY: Final = b"__type__"
"""The key by which kombu's JSON marks values of other types; most entries have none."""
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STATUS: Final = re.compile(rb'\s*\{\s*"status":\s*"([^"\\]{1,60})"')


class Undecoded(Exception):
    """A payload that cannot be decoded; the text is the reason in a few words."""


NOT_DECODABLE: Final = "neither JSON nor MessagePack"


def load(payload: bytes | bytearray | memoryview | str | None) -> Any:
    """Return the value of a payload: JSON, MessagePack, or a pickle of plain values.

    Types that kombu's JSON supports are restored; the app's own types stay tables of `__type__` and
    `__value__`, which is also how they have to be sent.

    Raises:
        Undecoded: It is a pickle of other objects, or an unknown format.
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
    # Each level of JSON has a bracket of its own.
    if not data.startswith((b"{", b"[")) or data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _refuse_depth(value)
    return value


def _value(data: bytes) -> Any:
    if _is_pickle(data):
        return plain_pickle.read(data)
    # A MessagePack table begins with one of these bytes; JSON never does.
    if data[:1] and (0x81 <= data[0] <= 0x8F or data[0] in (0xDE, 0xDF)):
        return msgspec.msgpack.decode(data)
    if _TYPE_KEY in data:
        return json.loads(data.decode(), object_hook=_typed)
    try:
        return msgspec.json.decode(data)
    except msgspec.MsgspecError:
        # The standard library also accepts NaN and Infinity, and numbers out of range.
        return json.loads(data.decode())


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
    """Return the entry that a key-value backend stores under a task's key; see `load`."""
    try:
        found = load(payload)
    except Undecoded as reason:
        # A broken entry may be half written: its state is not reliable either.
        status = None if str(reason) == NOT_DECODABLE else _first_status(payload)
        return ResultMeta(id_, status, undecoded=str(reason))
    if not isinstance(found, Mapping):
        return ResultMeta(id_, None, undecoded="not a Celery result")
    return from_mapping(id_, found)


def without_large_result(id_: str, payload: bytes) -> ResultMeta:
    """Return an entry like `from_payload`, with everything but a result that is large."""
    if len(payload) <= MAX_RESULT_BYTES:
        return from_payload(id_, payload)
    try:
        data = _decompress(payload) if payload.startswith(_COMPRESSED) else payload
        fields = _fields.decode(data)
        result = fields.get("result", msgspec.Raw())
        if len(bytes(result)) <= MAX_RESULT_BYTES:
            return from_payload(id_, data)
        rest = {name: load(bytes(value)) for name, value in fields.items() if value is not result}
    except (Undecoded, msgspec.MsgspecError, UnicodeError, RecursionError):
        return from_payload(id_, payload)
    return from_mapping(id_, rest, undecoded=too_large(len(payload)))


def too_large(size: int) -> str:
    """Return why an entry of so many bytes is not decoded."""
    return f"{size:,} bytes, too large to decode"


def from_mapping(
    id_: str,
    meta: Mapping[str, Any],
    *,
    undecoded: str | None = None,
    exact: bool = True,
    zone: tzinfo = UTC,
) -> ResultMeta:
    """Return an entry from its decoded fields; fields of a wrong type are ignored.

    Args:
        id_: The task's id.
        meta: The fields by Celery's names: `status`, `result`, `date_done`, ...
        undecoded: Why `result` is missing, if it could not be decoded.
        exact: Whether the backend stores arguments as values, not as their repr.
        zone: The time zone of a `date_done` without an offset.
    """
    status = _text(meta.get("status"))
    if (
        meta.keys() <= _REPORT_FIELDS
        and meta.get("traceback") is None
        and not meta.get("children")
        and status not in READY_STATES
        and status not in _EXCEPTION_STATES
    ):
        # The usual report of progress, of which there are many.
        return ResultMeta(id_, status, meta.get("result"), undecoded=undecoded)
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
        started_at=epoch(meta.get("date_started"), zone),
        created_at=epoch(meta.get("date_created"), zone),
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
        periodic_task_name=_text(meta.get("periodic_task_name")),
    )


def exception_text(described: Any) -> str | None:
    """Return the repr of an exception.

    Args:
        described: The description by `Backend.prepare_exception`, or the meta of a manual
            `update_state(state="FAILURE", meta=...)`.
    """
    if described is None or isinstance(described, str):
        return described or None
    if not isinstance(described, Mapping) or not isinstance(described.get("exc_type"), str):
        return repr(described)
    message = described.get("exc_message", ())
    arguments = message if isinstance(message, list | tuple) else (message,)
    return f"{described['exc_type']}({', '.join(map(repr, arguments))})"


def epoch(when: Any, zone: tzinfo = UTC) -> float | None:
    """Return the epoch seconds of ISO 8601 text, a `datetime` or a number; None for others."""
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
    except Exception:  # an unknown type, or an invalid value
        return table


def _decompress(data: bytes) -> bytes:
    codec, _, body = data[len(_COMPRESSED) :].partition(b"\x00")
    try:
        return decompress(body, codec.decode(errors="replace"))
    except DecompressionError as error:
        raise Undecoded(str(error)) from None


def _is_pickle(data: bytes) -> bool:
    # The opcode PROTO and its version; older protocols begin with an opcode for a dict.
    return (data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")) or data[
        :2
    ] in (b"(d", b"}q")


def _first_status(payload: bytes | str) -> str | None:
    """Return the state of an entry that cannot be decoded, if it is at the beginning.

    Celery's entries begin with it; the first two texts of a pickle are its key and its value.
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
    except Exception:  # broken, or truncated after the first bytes
        return None
    return None


def _ids(children: Any, levels: int = _MAX_CHILD_DEPTH) -> Iterator[str]:
    """Yield the ids in the output of `ResultBase.as_tuple`: `[[id, parent], [children]]` each."""
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
