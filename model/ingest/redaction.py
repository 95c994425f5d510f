"""What must not be seen: texts that the user's patterns match are masked before they are kept.

A pattern that matches a name (`password`) hides what is named so, in Python's reprs as in JSON:
`'password': 'x'`, `password='x'`, `"password": {...}`, also where the text was cut within. Any
other match (a card number, an address) is hidden itself. Half a card number, where a text was cut,
no pattern can know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from ..entities.result import ResultMeta
from ..observations import QueuePeeked
from ..text.masking import MASK, MAX_DEPTH, NAME_PATTERN, masked
from ..wire.events import Event


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
            text = masked(pattern, text)
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
        if depth > MAX_DEPTH:
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
            NAME_PATTERN.match(found[0])
            for pattern in self._patterns
            if (found := pattern.search(key)) is not None
        )
