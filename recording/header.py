"""The first line of a recording: what it is of, and what the model needs to be the same again."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..model.text.passwords import mask
from ..settings import Settings

SCHEMA: Final = "celtop.recording/1"
MODEL_SETTINGS: Final = ("max_tasks", "max_text_bytes", "progress_path", "keep", "findings")
"""The settings that determine what the model makes of observations."""


class Header(msgspec.Struct, frozen=True):
    """The header of a recording."""

    schema: str
    celtop: str
    """The version that wrote it."""
    cluster: str
    """The broker's URL without passwords."""
    started_at: float
    """Epoch seconds."""
    redaction: int
    """How many patterns of the setting `redact` were applied, besides the masking of passwords."""
    transport: str = ""
    transport_options: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    """`MODEL_SETTINGS`."""


def header_of(settings: Settings, transport: str, started_at: float, version: str) -> Header:
    """Return the header of a recording of a session with these settings."""
    return Header(
        SCHEMA,
        version,
        str(settings.masked("broker_url")),
        started_at,
        len(settings.redact),
        transport,
        mask(dict(settings.broker_transport_options)),
        {name: getattr(settings, name) for name in MODEL_SETTINGS},
    )
