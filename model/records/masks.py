"""Masks what a recording must not contain: passwords in URLs, and what the user's patterns match.

A recording is made to be handed on, so it is masked before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ..ingest.redaction import Redaction
from ..observations import InspectReply, Observation
from ..text.masking import MASK, MAX_DEPTH
from ..text.passwords import mask_text
from ..wire.events import Event, EventBatch

APP_FIELDS: Final = frozenset(
    {
        *("args", "kwargs", "result", "exception", "traceback", "traceback_parts"),
        *("stamps", "headers", "options", "fields", "text"),
    }
)
"""Fields whose values come from the app, at any depth of an observation."""
_EVENT_TEXTS: Final = ("args", "kwargs", "result", "exception", "traceback")


def mask_events(batch: EventBatch, redaction: Redaction) -> EventBatch:
    """Return a batch of events with masked texts."""
    events = tuple(_mask_event(event, redaction) for event in batch.events)
    return msgspec.structs.replace(batch, events=events)


def mask_fields(observation: Observation, fields: Any, redaction: Redaction) -> Any:
    """Return the fields of an observation, which are builtin values, masked."""
    if redaction.active:
        if isinstance(observation, InspectReply) and observation.command == "conf":
            fields = {**fields, "reply": redaction.value(fields.get("reply"))}
        else:
            fields = _redacted(fields, redaction, MAX_DEPTH)
    return _without_passwords(fields, MAX_DEPTH)


def _mask_event(event: Event, redaction: Redaction) -> Event:
    if redaction.active:
        event = redaction.event(event)
    changed: dict[str, Any] = {
        name: mask_text(text)
        for name in _EVENT_TEXTS
        if (text := getattr(event, name)) is not None and "://" in text
    }
    if event.fields and any(isinstance(one, str) and "://" in one for one in event.fields.values()):
        changed["fields"] = _without_passwords(event.fields, MAX_DEPTH)
    return msgspec.structs.replace(event, **changed) if changed else event


def _redacted(value: Any, redaction: Redaction, levels: int) -> Any:
    if not levels:
        return MASK
    if isinstance(value, Mapping):
        return {
            key: redaction.value(item)
            if key in APP_FIELDS
            else _redacted(item, redaction, levels - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(item, redaction, levels - 1) for item in value]
    return value


def _without_passwords(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return mask_text(value) if "://" in value else value
    if not isinstance(value, Mapping | list | tuple):
        return value
    if not levels:
        return MASK
    if isinstance(value, Mapping):
        return {key: _without_passwords(item, levels - 1) for key, item in value.items()}
    return [_without_passwords(item, levels - 1) for item in value]
