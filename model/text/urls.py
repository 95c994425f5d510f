"""URLs of brokers and result backends, with any characters in their passwords.

RFC 3986 wants special characters in a password percent-encoded, but many URLs in use have them
raw. A standard parser takes part of such a password for the host, so credentials are found here
first: they end at the last `@` in front of a host, outside of the query if that is possible.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

_SCHEME: Final = re.compile(r"\s*[A-Za-z][\w+.-]{0,60}://")
_SEPARATOR: Final = re.compile(r"\s*;\s*(?=[A-Za-z][\w+.-]{0,60}://|\s*$)")
"""A `;` separates URLs only in front of the next scheme: elsewhere it belongs to a URL."""
_ADDRESS: Final = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s@:/?#\[\]]*)(?::\d{0,5})?(?=[/?#]|$)")
"""A host and port without credentials."""
_QUERY: Final = re.compile(r"\?[\w.-]+=")
_NOT_IN_URL: Final = re.compile(r"[\s\x00-\x1f\x7f]")
"""Characters that no request line may contain."""
_RAW_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def split_urls(text: str) -> tuple[str, ...]:
    """Return the URLs in a setting that lists several, separated by `;`."""
    return tuple(part.strip() for part in _SEPARATOR.split(text) if part.strip())


def credentials(url: str) -> tuple[int, int] | None:
    """Return the positions of the credentials in a URL, without the `@`; None if it has none."""
    scheme = _SCHEME.match(url)
    if scheme is None:
        return None
    start = scheme.end()
    query = _QUERY.search(url, start)
    for limit in (query.start() if query else len(url), len(url)):
        at = url.rfind("@", start, limit)
        if _ADDRESS.match(url, max(start, at + 1)):
            break
    return None if at < 0 else (start, at)


def quote_credentials(url: str) -> str:
    """Return a URL whose user name and password standard parsers read: special characters encoded.

    What is percent-encoded already stays as it is.
    """
    span = credentials(url)
    if span is None:
        return url
    user, colon, password = url[span[0] : span[1]].partition(":")
    return f"{url[: span[0]]}{_quote(user)}{colon}{_quote(password)}{url[span[1] :]}"


def is_http_url(text: str) -> bool:
    """Return whether a text is an http or https URL that a request can be sent to."""
    try:
        parts = urlsplit(quote_credentials(text))
        host = (parts.hostname or "").encode("idna")
        # Raises an error if the port is no number, or too large.
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and not _NOT_IN_URL.search(text)


def passwords(url: str) -> list[str]:
    """Return every spelling of the password in a URL, the longest first."""
    span = credentials(url)
    if span is None:
        return []
    user, colon, password = url[span[0] : span[1]].partition(":")
    secret = password if colon else user
    found = {secret, unquote(secret), quote(unquote(secret), safe=""), _quote(secret)} - {""}
    return sorted(found, key=len, reverse=True)


def _quote(text: str) -> str:
    return quote(_RAW_PERCENT.sub("%25", text), safe="%!$&'()*+,=~")
