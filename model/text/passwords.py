"""Masks passwords in URLs, and in configurations and replies that contain them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .masking import MASK, MAX_DEPTH

_CREDENTIALS: Final = re.compile(
    r"(?P<scheme>\w[\w+.-]{0,30}://)(?P<login>(?:(?!\w{1,30}://)\S)*)@"
)
"""Matches up to the last `@` before the next URL, so that an unquoted password is masked too.
Repetitions are bounded: workers' replies are searched, and may be long and full of near misses.
"""
_SECRET_PARAMETER: Final = re.compile(
    r"(?i)([?&][^=&#?]{0,64}?(?:pass|secret|token)[^=&#?]{0,64}=)[^&#;,\s]*"
)
_SECRET_KEY: Final = re.compile(r"(?i)pass|secret|token|credential")


def mask_url(url: str) -> str:
    """Return a URL, or several, without passwords: `redis://***@host`, `amqp://user:***@host`."""

    def hide(match: re.Match[str]) -> str:
        user, colon, password = match["login"].partition(":")
        # A lone word before the `@` may be a token: only with a password next to it is it a name.
        return f"{match['scheme']}{user + ':' if user and colon and password else ''}{MASK}@"

    return _SECRET_PARAMETER.sub(rf"\1{MASK}", _CREDENTIALS.sub(hide, url))


def mask(value: Any, levels: int = MAX_DEPTH) -> Any:
    """Return text, or tables and lists of text, with every password in it masked.

    Anything more than `levels` deep is masked as a whole.
    """
    if isinstance(value, str):
        return mask_url(value)
    if not isinstance(value, Mapping | Sequence):
        return value
    if not levels:
        return MASK
    if isinstance(value, Mapping):
        return {
            key: MASK if item and _SECRET_KEY.search(str(key)) else mask(item, levels - 1)
            for key, item in value.items()
        }
    return [mask(item, levels - 1) for item in value]
