"""Posts JSON to a URL of the user; redirects are refused, as they could lead anywhere."""

from __future__ import annotations

import base64
import http.client
import ssl
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from ..model.text.urls import quote_credentials

TIMEOUT: Final = 10.0
"""Seconds for the connection and for each read and write."""
MAX_REPLY: Final = 500
"""Bytes of a refusal that are quoted."""


class WebhookError(Exception):
    """The post failed; the text is the reason."""

    may_pass: bool
    """Whether a later attempt may succeed."""

    def __init__(self, text: str, *, may_pass: bool) -> None:
        super().__init__(text)
        self.may_pass = may_pass


def post(url: str, body: Any) -> None:
    """Post a value as JSON; the URL may contain a user and password.

    Raises:
        WebhookError: An invalid URL, no connection, a timeout, or a reply other than 2xx.
    """
    parts = urlsplit(quote_credentials(url))
    headers = {"Content-Type": "application/json", "User-Agent": "celtop"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, msgspec.json.encode(body), headers)
        reply = connection.getresponse()
        text = reply.read(MAX_REPLY).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        raise WebhookError(str(error) or type(error).__name__, may_pass=True) from error
    except ValueError as error:  # a path that is not ASCII, for example
        raise WebhookError(f"invalid URL ({type(error).__name__})", may_pass=False) from error
    finally:
        connection.close()
    if not 200 <= reply.status < 300:
        reason = f"HTTP {reply.status} {reply.reason}" + (f": {text}" if text else "")
        raise WebhookError(reason, may_pass=reply.status >= 500 or reply.status == 429)
