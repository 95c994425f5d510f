"""The records of `celtop config show`, field by field: a contract with scripts."""

from __future__ import annotations

from typing import Final

import msgspec

SCHEMA: Final = "celtop.config/1"


class SettingRecord(msgspec.Struct, frozen=True, gc=False):
    """One setting."""

    name: str
    value: object
    """Passwords in URLs are masked."""
    source: str
    """Where the value comes from."""


class ConfigRecord(msgspec.Struct, frozen=True, gc=False):
    """All settings."""

    schema: str
    settings: list[SettingRecord]
