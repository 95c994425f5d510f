"""What must not be seen: texts that the user's patterns match are masked before they are kept.

A pattern that matches a name (`password`) hides what is named so, in Python's reprs as in JSON:
`'password': 'x'`, `password='x'`, `"password": {...}`, also where the text was cut within. Any
other match (a card number, an address) is hidden itself. Half a card number, where a text was cut,
no pattern can know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from ..entities.result import ResultMeta
from ..observations import QueuePeeked
from ..wire.events import Event

MASK: Final = "***"
"""What stands for hidden text. Nothing with this in it may be sent again as an argument."""

DEEPEST: Final = 50
"""Levels of a value that are looked at; what is nested deeper is hidden whole."""

_NAME: Final = re.compile(r"[^\W\d][\w-]*\Z")
_ASSIGNED: Final = re.compile(
    r"[\w-]{0,64}+(?:\\{0,8}['\"])?\]?\s{0,8}+(?P<sign>:|=>|=(?!=))\s{0,8}"
)
_OPENING: Final = re.compile(r"[bBrRuUfF]{0,2}(?P<quote>\\{0,8}(?:'''|\"\"\"|['\"]))")
_BRACKETS: Final = {"(": ")", "[": "]", "{": "}"}


class Redaction:
    """Masks what the patterns match, in any case.

    Args:
        patterns: Regular expressions; none at all leaves everything as it is.

    Raises:
        ValueError: One of them is no regular expression.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._patterns: list[re.Pattern[str]] = []
        for pattern in patterns:
            if not pattern:
                continue
            try:
                self._patterns.append(re.compile(pattern, re.IGNORECASE))
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"not a regular expression: {pattern}: {error}") from error
        self.active = bool(self._patterns)
        """Whether there is anything to mask."""

    def text(self, text: str) -> str:
        """Return a text, such as a repr, JSON or a traceback, with what matches masked."""
        for pattern in self._patterns:
            text = _masked(pattern, text)
        return text

    def maybe(self, text: str | None) -> str | None:
        """Return the same of a text that may be unknown."""
        return None if text is None else self.text(text)

    def value(self, value: Any) -> Any:
        """Return a value as JSON has them, with what matches masked; the given one stays as is."""
        return self._value(value, 0) if self.active else value

    def event(self, event: Event) -> Event:
        """Return an event with its texts masked."""
        changed: dict[str, Any] = {
            name: masked
            for name in ("args", "kwargs", "result", "exception", "traceback")
            if (masked := self.maybe(getattr(event, name))) != getattr(event, name)
        }
        if event.fields:
            changed["fields"] = self.value(event.fields)
        return msgspec.structs.replace(event, **changed) if changed else event

    def meta(self, meta: ResultMeta) -> ResultMeta:
        """Return what a result backend keeps of a task, masked: to be shown, never sent again."""
        if not self.active:
            return meta
        return msgspec.structs.replace(
            meta,
            result=self.value(meta.result),
            exception=self.maybe(meta.exception),
            traceback=self.maybe(meta.traceback),
            args=self.value(meta.args),
            kwargs=self.value(meta.kwargs),
            stamps=self.value(meta.stamps),
        )

    def peeked(self, seen: QueuePeeked) -> QueuePeeked:
        """Return what was seen in a queue, masked."""
        if not self.active:
            return seen
        messages = (
            msgspec.structs.replace(one, args=self.maybe(one.args), kwargs=self.maybe(one.kwargs))
            for one in seen.messages
        )
        return msgspec.structs.replace(seen, messages=tuple(messages))

    def _value(self, value: Any, depth: int) -> Any:
        if depth > DEEPEST:
            return MASK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                self._value(key, depth + 1) if not self._names(key) else key: (
                    MASK if self._names(key) else self._value(item, depth + 1)
                )
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            items = [self._value(item, depth + 1) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if value is None or isinstance(value, bool):
            return value
        shown = str(value)
        return MASK if any(pattern.search(shown) for pattern in self._patterns) else value

    def _names(self, key: Any) -> bool:
        """Whether a key is the name of something to be hidden."""
        return isinstance(key, str) and any(
            _NAME.match(found[0])
            for pattern in self._patterns
            if (found := pattern.search(key)) is not None
        )


def _masked(pattern: re.Pattern[str], text: str) -> str:
    parts: list[str] = []
    done = position = 0
    while (found := pattern.search(text, position)) is not None:
        start, end = found.span()
        if start == end:
            position = end + 1
            continue
        assigned = _ASSIGNED.match(text, end) if _NAME.match(found[0]) else None
        if assigned is None:
            parts += (text[done:start], MASK)
            done = position = end
            continue
        value = assigned.end()
        stop, shown = _value_at(text, value, assigned["sign"])
        parts += (text[done:value], shown)
        done = position = stop
    return "".join((*parts, text[done:])) if parts else text


def _value_at(text: str, start: int, sign: str) -> tuple[int, str]:
    """Return where a value ends, and what is shown of it: the quotes of a text."""
    opening = _OPENING.match(text, start)
    if opening is not None:
        quote = opening["quote"]
        end, closed = _end_of_text(text, opening.end(), quote)
        following = text[end : end + 1]
        if not closed or not following or following in ",)]}:;&\\'\" \n":
            return end, opening[0] + MASK + (quote if closed else "")
    return _end_of_value(text, start, sign), MASK


def _end_of_text(text: str, start: int, quote: str) -> tuple[int, bool]:
    """Return where a quoted text ends, quote included, and whether it does or was cut."""
    escape = len(quote) - len(quote.lstrip("\\"))
    position = start
    while (found := text.find(quote, position)) != -1:
        before = found
        while before > start and text[before - 1] == "\\":
            before -= 1
        # An escaped quote has more backslashes before it than the one that began the text.
        slashes = found - before
        if slashes == 0 or (not escape and slashes % 2 == 0):
            return found + len(quote), True
        position = found + 1
    return len(text), False


def _end_of_value(text: str, start: int, sign: str) -> int:
    """Return where a value ends that is no quoted text: a number, a call, a list, a header."""
    ends = ",;&\n" if sign == ":" else ",;& \t\n"
    depth: list[str] = []
    position = start
    while position < len(text):
        char = text[position]
        if char in "'\"":
            position = _end_of_text(text, position + 1, char)[0]
            continue
        if char in _BRACKETS:
            depth.append(_BRACKETS[char])
        elif depth and char == depth[-1]:
            depth.pop()
        elif not depth and (char in ends or char in ")]}"):
            break
        position += 1
    return position
