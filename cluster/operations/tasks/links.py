"""The links of a message to other tasks: callbacks, the rest of its chain, its chord.

They are the third part of the body in Celery's protocol 2: `[args, kwargs, {callbacks, errbacks,
chain, chord}]`. To change them, only this part of a JSON body is rewritten; the arguments stay byte
for byte. A pickle is never loaded: its opcodes show whether the part is empty.
"""

from __future__ import annotations

import json
import pickletools
import re
import uuid
from typing import Any, Final

import msgspec

from ....model.operations.call import RawMessage
from ...connection.decompression import decompress
from ..running import Refused

JSON: Final = "application/json"
MSGPACK: Final = "application/x-msgpack"
PICKLE: Final = "application/x-python-serialize"
LINKS: Final = frozenset({"callbacks", "errbacks", "chain", "chord"})
IDS: Final = ("task_id", "group_id", "root_id", "parent_id")
"""The options of a signature with ids of other tasks and groups."""
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_EMPTY: Final = ("NONE", "EMPTY_LIST", "EMPTY_TUPLE")


def relinked(message: RawMessage, id_: str, new_id: str, *, keep: bool) -> RawMessage:
    """Return a message with its links changed for sending it again; without links, the same one.

    With `keep`, callbacks and the rest of the chain are kept under new ids. A chord never is: it
    would count this task a second time.

    Raises:
        Refused: The links cannot be removed, because the body is not JSON.
    """
    text = _text(message) if message.content_type == JSON else None
    parts = None if text is None else _split(text)
    if parts is None:
        # Without the group header, which is reset, no worker counts a chord.
        if not keep and not _unlinked(message):
            raise Refused(
                f"its message is {message.content_type or 'in an unknown format'}, so that its "
                "callbacks or chain, if any, cannot be removed; send it with them"
            )
        return message
    head, links = parts
    wanted = {key: links.get(key) if keep and key != "chord" else None for key in links}
    if not any(links.values()):
        return message
    if keep:
        wanted = _NewIds(id_, new_id).replace(wanted)
    body = f"{head}{json.dumps(wanted)}]".encode()
    headers = {key: value for key, value in message.headers.items() if key != "compression"}
    return msgspec.structs.replace(message, body=body, content_encoding="utf-8", headers=headers)


def has_links(message: RawMessage) -> bool:
    """Return whether a message has callbacks or the rest of a chain.

    True if it is unknown: a body that is not JSON, unless it certainly has none.
    """
    text = _text(message) if message.content_type == JSON else None
    parts = None if text is None else _split(text)
    if parts is None:
        return not _unlinked(message)
    return any(found for key, found in parts[1].items() if key != "chord")


def _text(message: RawMessage) -> str | None:
    try:
        return _plain_body(message).decode(message.content_encoding or "utf-8")
    except (LookupError, ValueError):  # an unknown encoding, or a broken body
        return None


def _plain_body(message: RawMessage) -> bytes:
    compression = message.headers.get("compression")
    if not compression:
        return message.body
    return decompress(message.body, str(compression))


def _split(text: str) -> tuple[str, dict[str, Any]] | None:
    """Return a body's text up to its links, and the links; None if it is not protocol 2."""
    decoder = json.JSONDecoder()
    try:
        position = _skip(text, 0, "[")
        for _ in range(2):
            _, position = decoder.raw_decode(text, _skip(text, position))
            position = _skip(text, position, ",")
        start = _skip(text, position)
        links, position = decoder.raw_decode(text, start)
        end = _skip(text, _skip(text, position, "]"))
    except (ValueError, RecursionError):
        return None
    return (text[:start], links) if isinstance(links, dict) and end == len(text) else None


def _skip(text: str, position: int, mark: str = "") -> int:
    blank = _BLANK.match(text, position)
    position = blank.end() if blank else position
    if not text.startswith(mark, position):
        raise ValueError(f"no {mark}")
    return position + len(mark)


def _unlinked(message: RawMessage) -> bool:
    """Return whether a message that is not JSON certainly has neither callbacks nor a chain."""
    try:
        body = _plain_body(message)
        if message.content_type == PICKLE:
            return _pickle_unlinked(body)
        if message.content_type == MSGPACK:
            links = msgspec.msgpack.decode(body)[2]
            return isinstance(links, dict) and not any(links.values())
    except Exception:  # decoders may raise anything on a broken body
        return False
    return False


def _pickle_unlinked(body: bytes) -> bool:
    """Return whether the links in a pickle are empty, by its opcodes; none is executed.

    A pickled body ends with the dict of links, whose keys are strings, and the tuple around it.
    """
    operations: list[tuple[str, Any]] = []
    memo: dict[Any, tuple[str, Any]] = {}
    for opcode, argument, _ in pickletools.genops(body):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            place = len(memo) if opcode.name == "MEMOIZE" else argument
            memo[place] = operations[-1]
        elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
            # Other shared values may have been filled since; a string is immutable.
            known = memo[argument]
            operations.append(known if known[0].endswith("UNICODE") else (opcode.name, None))
        elif opcode.name not in ("PROTO", "FRAME"):
            operations.append((opcode.name, argument))
    names = [name for name, _ in operations]
    if names[-3:] != ["SETITEMS", "TUPLE3", "STOP"]:
        return False
    begin = len(names) - 3
    while begin and names[begin - 1] != "MARK":
        begin -= 1
    items = operations[begin:-3]
    keys, values = items[::2], items[1::2]
    return (
        names[begin - 2 : begin] == ["EMPTY_DICT", "MARK"]
        and len(keys) == len(values)
        and {argument for _, argument in keys} == LINKS
        and all(name in _EMPTY for name, _ in values)
    )


class _NewIds:
    """Replaces the ids of tasks and groups in links, each by the same new one everywhere.

    A step of a chain has its id from the start, and may already have run under it: its old result
    would remain, and an earlier revocation would apply to the new task.
    """

    def __init__(self, id_: str, new_id: str) -> None:
        self._ids = {id_: new_id}
        self._root = new_id

    def replace(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.replace(item) for item in value]
        if not isinstance(value, dict):
            return value
        renamed = {key: self.replace(item) for key, item in value.items()}
        options = renamed.get("options")
        if "task" in renamed and isinstance(options, dict):
            for key in IDS:
                if isinstance(options.get(key), str):
                    options[key] = self._root if key == "root_id" else self._new(options[key])
        return renamed

    def _new(self, id_: str) -> str:
        return self._ids.setdefault(id_, str(uuid.uuid4()))
