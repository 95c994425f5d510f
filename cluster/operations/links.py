"""What a message carries besides the arguments: callbacks, the rest of its chain, its chord.

They are the third part of the body in Celery's protocol 2: `[args, kwargs, {callbacks, errbacks,
chain, chord}]`. Where one of them must not be sent again, only this part of a JSON body is written
anew; the arguments stay byte for byte. A pickle is never loaded: its opcodes tell whether the part
is empty.
"""

from __future__ import annotations

import json
import pickletools
import re
import uuid
from typing import Any, Final

import msgspec

from ...model.operations.call import RawMessage
from .running import Refused

JSON: Final = "application/json"
MSGPACK: Final = "application/x-msgpack"
PICKLE: Final = "application/x-python-serialize"
LINKS: Final = frozenset({"callbacks", "errbacks", "chain", "chord"})
IDS: Final = ("task_id", "group_id", "root_id", "parent_id")
"""The options of a signature that name other tasks and groups."""
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_EMPTY: Final = ("NONE", "EMPTY_LIST", "EMPTY_TUPLE")


def linked_anew(message: RawMessage, id_: str, new_id: str, *, keep: bool) -> RawMessage:
    """Return a message whose links are right for being sent again; without any, the same one.

    Args:
        message: As it lay on the broker.
        id_: The task that it was.
        new_id: The task that it becomes.
        keep: Whether callbacks and the rest of the chain go along, under new ids. A chord never
            does: it would count this task a second time.

    Raises:
        Refused: They are to be left out, and cannot be: the body is not in JSON.
    """
    text = _text(message) if message.content_type == JSON else None
    parts = None if text is None else _split(text)
    if parts is None:
        # Without its group, which the headers alone name, a chord is not counted by any worker.
        if not keep and not _unlinked(message):
            raise Refused(
                f"its message is in {message.content_type or 'an unknown format'} and carries "
                "callbacks or a chain, or may: they can only go along"
            )
        return message
    head, links = parts
    wanted = {key: links.get(key) if keep and key != "chord" else None for key in links}
    if not any(links.values()):
        return message
    if keep:
        wanted = _Renaming(id_, new_id).of(wanted)
    body = f"{head}{json.dumps(wanted)}]".encode()
    headers = {key: value for key, value in message.headers.items() if key != "compression"}
    return msgspec.structs.replace(message, body=body, content_encoding="utf-8", headers=headers)


def has_links(message: RawMessage) -> bool:
    """Tell whether more was to follow a task: callbacks, or the rest of a chain.

    What cannot be told may: a body in another format than JSON, unless it certainly has none.
    """
    text = _text(message) if message.content_type == JSON else None
    parts = None if text is None else _split(text)
    if parts is None:
        return not _unlinked(message)
    return any(found for key, found in parts[1].items() if key != "chord")


def _text(message: RawMessage) -> str | None:
    try:
        return _plain_body(message).decode(message.content_encoding or "utf-8")
    except Exception:  # a decompressor may raise anything on a broken body
        return None


def _plain_body(message: RawMessage) -> bytes:
    compression = message.headers.get("compression")
    if not compression:
        return message.body
    from kombu.compression import decompress

    plain: bytes = decompress(message.body, compression)
    return plain


def _split(text: str) -> tuple[str, dict[str, Any]] | None:
    """Return a body's text up to its links, and these; None if it is not of protocol 2."""
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
    """Tell whether a message that is not in JSON certainly has neither callbacks nor a chain."""
    try:
        body = _plain_body(message)
        if message.content_type == PICKLE:
            return _pickle_unlinked(body)
        if message.content_type == MSGPACK:
            links = msgspec.msgpack.decode(body)[2]
            return isinstance(links, dict) and not any(links.values())
    except Exception:  # whatever a broken body makes the decoders raise
        return False
    return False


def _pickle_unlinked(body: bytes) -> bool:
    """Tell from a pickle's opcodes, none of which is carried out, whether its links are empty.

    It ends with the dict of the links, all of its keys texts, and the tuple or list around it.
    """
    operations: list[tuple[str, Any]] = []
    memo: dict[Any, tuple[str, Any]] = {}
    for opcode, argument, _ in pickletools.genops(body):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            place = len(memo) if opcode.name == "MEMOIZE" else argument
            memo[place] = operations[-1]
        elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
            # What else is shared may have been filled since; a text stays what it is.
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


class _Renaming:
    """Gives the tasks and groups that links name new ids, each the same wherever it is named.

    A step of a chain has its id from the start. Under that id it may have run already: its result
    would stay as it was, and who has revoked it would have revoked the new one.
    """

    def __init__(self, id_: str, new_id: str) -> None:
        self._ids = {id_: new_id}
        self._root = new_id

    def of(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.of(item) for item in value]
        if not isinstance(value, dict):
            return value
        renamed = {key: self.of(item) for key, item in value.items()}
        options = renamed.get("options")
        if "task" in renamed and isinstance(options, dict):
            for key in IDS:
                if isinstance(options.get(key), str):
                    options[key] = self._root if key == "root_id" else self._new(options[key])
        return renamed

    def _new(self, id_: str) -> str:
        return self._ids.setdefault(id_, str(uuid.uuid4()))
