"""Masks passwords in URLs, and in configurations and replies that contain them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .masking import MASK, MAX_DEPTH
from .urls import credentials, split_urls

_CREDENTIALS: Final = re.compile(
    r"(?P<scheme>\w[\w+.-]{0,30}://)"
    r"(?P<login>(?:(?!\w{1,30}://)\S)*"
    r"|(?=[^\s/:@]{0,64}:(?!\d{1,5}(?:[/?#,;\s'\"]|$)))(?:(?!\w{1,30}://)[^\n]){0,200})@"
)
"""Credentials in a text: up to the last `@` before the next URL, so that an unquoted password is
masked too. Across spaces this holds only if what precedes the first one is no host and port.
Repetitions are bounded: workers' replies are searched, and may be long and full of near misses.
"""
_SECRET_PARAMETER: Final = re.compile(
    r"(?i)([?&][^=&#?]{0,64}?(?:pass|secret|token)[^=&#?]{0,64}=)[^&#;,\s]*"
)
_POSTGRESQL: Final = re.compile(r"(?i)(?:\w+\+)?postgres(?:ql)?(?:\+\w+)?://")
_PARAMETER: Final = re.compile(r"([?&])([^=&#?]*)(=?)([^&#;]*)")
_POSTGRESQL_OPTIONS: Final = re.compile(
    r"host|hostaddr|port|dbname|user|passfile|service|options|client_encoding|application_name"
    r"|fallback_application_name|connect_timeout|tcp_user_timeout|keepalives(?:_\w+)?"
    r"|target_session_attrs|load_balance_hosts|channel_binding|replication|require\w+|gss\w+"
    r"|krbsrvname|ssl(?!password)\w+|(?:min|max)_protocol_version"
)
"""The parameters of libpq that hold no secret. Any other name is misspelt: perhaps `password`."""
_NAME_TABLES: Final = ("beat_schedule", "routes", "annotations", "queues", "total")
"""How the names of tables in workers' replies end whose keys are names of tasks, queues or entries:
`auth.send_token` is no secret."""
_SECRET_KEY: Final = re.compile(r"(?i)pass|secret|token|credential")


def mask_url(url: str) -> str:
    """Return a URL, or several separated by `;`, without passwords: `amqp://user:***@host`."""
    masked = _mask_parameters(";".join(map(_mask_credentials, split_urls(url))))
    return _PARAMETER.sub(_known_only, masked) if _POSTGRESQL.match(url) else masked


def _known_only(found: re.Match[str]) -> str:
    """Return a parameter of a PostgreSQL URL; its value only if the parameter exists."""
    sign, name, equals, _ = found.groups()
    if _POSTGRESQL_OPTIONS.fullmatch(name):
        return found[0]
    return f"{sign}{name if equals else ''}{equals}{MASK}"


def mask_text(text: str) -> str:
    """Return a text without the passwords of the URLs in it."""
    return _mask_parameters(
        _CREDENTIALS.sub(lambda match: f"{match['scheme']}{_shown(match['login'])}@", text)
    )


def _mask_parameters(text: str) -> str:
    """Return a text without the values of query parameters that are named after secrets."""
    return _SECRET_PARAMETER.sub(rf"\1{MASK}", text)


def _mask_credentials(url: str) -> str:
    span = credentials(url)
    if span is None:
        return url
    return f"{url[: span[0]]}{_shown(url[span[0] : span[1]])}{url[span[1] :]}"


def _shown(login: str) -> str:
    user, colon, password = login.partition(":")
    # A lone word before the `@` may be a token: only with a password next to it is it a name.
    return f"{user + ':' if user and colon and password else ''}{MASK}"


def mask_reply(reply: Any) -> Any:
    """Return a worker's reply to `inspect conf` or `stats` with every password masked.

    Celery itself masks settings by their names, but no URLs under a namespace (Django).
    """
    if not isinstance(reply, Mapping):
        return mask(reply)
    return {key: _mask_setting(str(key), value) for key, value in reply.items()}


def _mask_setting(key: str, value: Any) -> Any:
    if isinstance(value, Mapping) and key.lower().endswith(_NAME_TABLES):
        return {name: mask(item) for name, item in value.items()}
    return mask({key: value})[key]


def mask(value: Any, levels: int = MAX_DEPTH) -> Any:
    """Return text, or tables and lists of text, with every password in it masked.

    Anything more than `levels` deep is masked as a whole.
    """
    if isinstance(value, str):
        return mask_text(value)
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
