"""Turns errors of psycopg into errors of the store: what failed, why, and what to do about it.

A failed connect has no SQLSTATE, so connection errors are recognised by their texts, which libpq
does not translate by default. Texts of invalid URLs may quote a part of the password, and
are not shown.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ...model.text.passwords import mask_text
from ..store import StoreError

MAX_REASON_LENGTH: Final = 200
"""Characters of PostgreSQL's own text."""


class Rule(NamedTuple):
    """The words for errors with one of the SQLSTATEs, or with a text that matches a pattern."""

    states: tuple[str, ...]
    """SQLSTATEs, or their first two characters: see appendix A of PostgreSQL's documentation."""
    pattern: str
    words: str
    transient: bool = False


_RULES: Final = (
    Rule(
        (),
        r"connection refused",
        "Cannot connect to {url}: connection refused. Is PostgreSQL running on this port? "
        "In a container, localhost is the container itself.",
        True,
    ),
    Rule(
        (),
        r"failed to resolve host|could not translate host name|name or service not known",
        "Cannot resolve the host name in {url}. Check the spelling; Compose and Kubernetes names "
        "resolve only inside their network.",
        True,
    ),
    Rule(
        (),
        r"connection to server on socket .* failed: no such file",
        "Cannot connect to {url}: there is no socket. Is PostgreSQL running on this host?",
        True,
    ),
    Rule(
        (),
        r"no route to host|network is unreachable|host is down",
        "Cannot reach {url} over the network. Check the address, the network, and any VPN or "
        "firewall.",
        True,
    ),
    Rule(
        (),
        r"server does not support SSL",
        "{url} does not use TLS. Remove sslmode from the URL, or enable ssl on the server.",
    ),
    Rule(
        (),
        r"certificate verify failed",
        "The certificate of {url} is not signed by a trusted authority. Set sslrootcert=FILE in "
        "the URL to the authority's certificate.",
    ),
    Rule(
        (),
        r"server certificate for .* does not match host name",
        "The certificate of {url} was issued for another host name. Use the host name in the "
        "certificate, or issue a certificate for this one.",
    ),
    Rule(
        (),
        r"root certificate file .* does not exist|could not (?:read|open) .*certificate",
        "A certificate file in {url} cannot be read. Check sslrootcert, sslcert and sslkey.",
    ),
    Rule(
        (),
        r"received invalid response to SSL negotiation",
        "{url} is no PostgreSQL server. Check host and port.",
    ),
    Rule(
        ("28P01",),
        r"password authentication failed|no password supplied",
        "{url} rejected the user name or password. Check both in the URL; percent-encode special "
        "characters, for example @ as %40.",
    ),
    Rule(
        ("28",),
        r"FATAL:\s+(role .* does not exist|no pg_hba.conf entry|pg_hba.conf rejects"
        r"|peer authentication failed|certificate authentication failed|role .* not permitted)",
        "{url} does not accept this user from here: {reason}. Check the user name, and "
        "pg_hba.conf on the server.",
    ),
    Rule(
        ("3D000",),
        r"FATAL:\s+database .* does not exist",
        "The server has no such database: {url}. Create it: createdb NAME.",
    ),
    Rule(
        ("53300",),
        r"too many (?:clients|connections)|remaining connection slots",
        "{url} has reached its connection limit. Close connections, or raise max_connections.",
        True,
    ),
    Rule(
        ("57P03",),
        r"the database system is (?:starting up|in recovery|shutting down|not yet accepting)",
        "{url} is starting up or shutting down. The connection is retried.",
        True,
    ),
    Rule(
        ("42501",),
        r"FATAL:\s+permission denied",
        "The user of {url} lacks a permission: {reason}. As the database's owner: "
        "CREATE SCHEMA celtop AUTHORIZATION NAME for a writer; for a reader "
        "GRANT USAGE ON SCHEMA celtop TO NAME and GRANT SELECT ON ALL TABLES IN SCHEMA celtop "
        "TO NAME.",
    ),
    Rule(
        ("25006",),
        r"read-only transaction",
        "{url} is read-only. Use the primary's address: several hosts in the URL with "
        "target_session_attrs=read-write find it.",
        True,
    ),
    Rule(
        ("3F000", "42P01"),
        r"",
        "{url} has no history of celtop yet. Run celtop collect --history with this URL.",
        True,
    ),
    Rule(
        ("53100",),
        r"no space left on device",
        "The disk of {url} is full. Free space, or lower history_max_bytes.",
        True,
    ),
    Rule(
        ("57014", "55P03"),
        r"",
        "{url} did not complete a statement in time: {reason}. It may be overloaded, or a table "
        "is locked.",
        True,
    ),
    Rule(
        ("08", "57P01", "57P02", "57P05", "25P03"),
        r"server closed the connection|connection is closed|connection is lost|connection reset"
        r"|SSL connection has been closed|could not (?:receive|send) data|EOF detected",
        "{url} closed the connection. The server was restarted or dropped this client: see its "
        "log.",
        True,
    ),
    Rule(
        (),
        r"timed? ?out|timeout",
        "{url} does not respond. Check the address and firewall; if the port is open, the server "
        "hangs or is overloaded.",
        True,
    ),
    Rule(("40", "53"), r"", "{url} could not complete a statement: {reason}.", True),
)


def missing_driver() -> StoreError:
    """Return the error for a missing psycopg."""
    return StoreError(
        "A history in PostgreSQL requires psycopg. Install it in celtop's environment: "
        "pip install 'celtop[postgresql]'"
    )


def invalid_url(url: str, reason: str) -> StoreError:
    """Return the error for a URL that libpq cannot read.

    Args:
        url: The URL without its password.
        reason: libpq's text; only the name of a parameter is taken from it.
    """
    unknown = re.search(r'invalid URI query parameter: "(\w{1,64})"', reason)
    if unknown and f"{unknown[1]}=" in url:
        return StoreError(
            f"The URL {url} has a parameter that libpq does not have: {unknown[1]}. Check its "
            "spelling."
        )
    return StoreError(
        f"The URL {url} is invalid. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE; "
        "percent-encode special characters, for example @ as %40."
    )


def explain(error: BaseException, url: str) -> StoreError:
    """Return the error of the store for one of psycopg's.

    Args:
        error: Any of `psycopg.Error`.
        url: The URL without its password.
    """
    state = str(getattr(error, "sqlstate", None) or "")
    text = str(error)
    reason = _reason(text)
    for rule in _RULES:
        by_state = state and (state in rule.states or state[:2] in rule.states)
        if by_state or (rule.pattern and re.search(rule.pattern, text, re.IGNORECASE)):
            words = rule.words.format(url=url, reason=reason)
            return StoreError(words, transient=rule.transient)
    # Without a state, the connection is at fault: it may work again.
    return StoreError(f"The history in {url} failed: {reason}.", transient=not state)


def _reason(text: str) -> str:
    """Return the cause in libpq's text, on one line, without passwords."""
    line = next(iter(text.strip().splitlines()), "unknown error")
    cause = line.rpartition("failed: ")[2]
    return mask_text(re.sub(r"^[A-Z]+:\s+", "", cause))[:MAX_REASON_LENGTH].rstrip(".")
