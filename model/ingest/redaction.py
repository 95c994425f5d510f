"""Masks secrets in texts before they are stored, by the user's patterns.

If a pattern matches a name (`password`), the value of that name is masked, in Python reprs and in
JSON alike: `'password': 'x'`, `password='x'`, `"password": {...}`, even if the text is cut in the
middle. Any other match (a card number, an address) is masked itself. A match that is cut in the
middle cannot be recognized.
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
    """Masks matches of regular expressions, ignoring case; without any, nothing is masked.

    Raises:
        ValueError: A pattern is not a regular expression.
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
        """Whether there are patterns."""

    def text(self, text: str) -> str:
        """Return a text, such as a repr, JSON or a traceback, masked."""
        for pattern in self._patterns:
            text = masked(pattern, text)
        return text

    def text_or_none(self, text: str | None) -> str | None:
        """Return a text masked; None stays None."""
        return None if text is None else self.text(text)

    def value(self, value: Any) -> Any:
        """Return a masked copy of a JSON value."""
        return self._value(value, 0) if self.active else value

    def event(self, event: Event) -> Event:
        """Return an event with masked texts."""
        changed: dict[str, Any] = {
            name: masked
            for name in ("args", "kwargs", "result", "exception", "traceback")
            if (masked := self.text_or_none(getattr(event, name))) != getattr(event, name)
        }
        if event.fields:
            changed["fields"] = self.value(event.fields)
        return msgspec.structs.replace(event, **changed) if changed else event

    def meta(self, meta: ResultMeta) -> ResultMeta:
        """Return a masked result, which must only be displayed, never sent."""
        if not self.active:
            return meta
        return msgspec.structs.replace(
            meta,
            result=self.value(meta.result),
            exception=self.text_or_none(meta.exception),
            traceback=self.text_or_none(meta.traceback),
            args=self.value(meta.args),
            kwargs=self.value(meta.kwargs),
            stamps=self.value(meta.stamps),
        )

    def peeked(self, seen: QueuePeeked) -> QueuePeeked:
        """Return waiting messages with masked arguments."""
        if not self.active:
            return seen
        messages = (
            msgspec.structs.replace(
                one, args=self.text_or_none(one.args), kwargs=self.text_or_none(one.kwargs)
            )
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
                self._value(key, depth + 1) if not self._is_secret_name(key) else key: (
                    MASK if self._is_secret_name(key) else self._value(item, depth + 1)
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

    def _is_secret_name(self, key: Any) -> bool:
        """Return whether a key is a name whose value is masked."""
        return isinstance(key, str) and any(
            NAME_PATTERN.match(found[0])
            for pattern in self._patterns
            if (found := pattern.search(key)) is not None
        )
