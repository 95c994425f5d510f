"""A failure in plain words: what is wrong with the connection, and what to do about it.

The libraries wrap each other's errors, and Redis says most things in the text of one exception
class. So the whole chain of causes becomes one text, and the first rule that fits it names the
fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ...model.observations import Fault
from .broker import BrokerConnection

LONGEST_REASON: Final = 200


class _Rule(NamedTuple):
    kind: str
    pattern: re.Pattern[str]
    problem: str
    advice: str


def _rule(kind: str, pattern: str, problem: str, advice: str) -> _Rule:
    return _Rule(kind, re.compile(pattern, re.IGNORECASE), problem, advice)


_RULES: Final = (
    _rule(
        "url",
        r"no broker URL",
        "No broker is named",
        "Give its URL with -b, as in -b redis://localhost:6379/0, or name an app with -A",
    ),
    _rule(
        "url",
        r"Database is int between|invalid literal for int",
        "The broker URL names the database {path}, and Redis numbers them",
        "End it with a number, as in /0",
    ),
    _rule(
        "url",
        r"'master_name' transport option must",
        "The broker URL cannot be right: {reason}",
        "Compare it with the one that the workers use",
    ),
    _rule(
        "url",
        # What stands there may be a part of the password: it is not shown.
        r"Port could not be cast|Port out of range",
        "The broker URL has no number where its port should be",
        "Special characters in a password must be written as %2F and so on",
    ),
    _rule(
        "transport",
        r"No such transport|Invalid transport scheme",
        "{scheme}:// is not a kind of broker that Celery knows",
        "Use redis://, rediss://, sentinel://, amqp://, amqps:// or another of kombu's transports",
    ),
    _rule(
        "driver",
        r"ModuleNotFoundError|ImportError|VersionMismatch",
        "The driver for {scheme}:// cannot be loaded: {reason}",
        "Install it beside celtop, as in pip install 'kombu[{scheme}]'",
    ),
    _rule(
        "dns",
        r"gaierror|Name or service not known|nodename nor servname|Temporary failure in name"
        r"|No address associated",
        "The host name {host} is not known",
        "Check the spelling; names of a Compose or Kubernetes network are known only inside it",
    ),
    _rule(
        "tls",
        r"handshake operation timed out",
        "{place} accepts the connection and does not answer in TLS",
        "Redis is silent when TLS is spoken to a plain port: try {plain}://, or its TLS port",
    ),
    _rule(
        "timeout",
        r"TimeoutError|timed out|Timeout ",
        "{place} does not answer",
        "Check address and firewall; a broker that accepts and stays silent is hung or overloaded",
    ),
    _rule(
        "tls",
        r"CERTIFICATE_VERIFY_FAILED.*(hostname mismatch|not valid for|doesn't match)",
        "The certificate of {place} was issued for another host name",
        "Use the name that is in the certificate, or have a certificate made for this one",
    ),
    _rule(
        "tls",
        r"CERTIFICATE_VERIFY_FAILED|self.signed certificate|unable to get local issuer",
        "The certificate of {place} is not signed by anyone trusted here",
        "Name the authority's file with ssl_ca_certs=FILE in the URL, or in broker_use_ssl",
    ),
    _rule(
        "tls",
        r"WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|record layer failure|HTTP_REQUEST",
        "{place} does not speak TLS",
        "Use {plain}:// or the port on which the broker does speak TLS",
    ),
    _rule(
        "tls",
        r"CERTIFICATE_REQUIRED|handshake failure|SSLError|SSLEOFError|ssl\.",
        "The TLS connection to {place} failed: {reason}",
        "Check that the broker speaks TLS on this port, and whether it wants a client certificate",
    ),
    _rule(
        "auth",
        r"NOAUTH|Authentication required|HELLO must be called",
        "{place} wants a password and the URL has none",
        "Write :PASSWORD@ after the // of the URL; CELTOP_BROKER_URL hides it from `ps`",
    ),
    _rule(
        "auth",
        r"WRONGPASS|invalid username-password|invalid password|ACCESS_REFUSED|AuthenticationError"
        r"|\(403\)|AccessRefused|called without any password configured",
        "{place} refuses the user name or the password",
        "Check both in the URL; special characters in a password must be written as %40 and so on",
    ),
    _rule(
        "acl",
        r"NOPERM|No permissions|NoPermission",
        "The user may log in to {place}, but may not do this: {reason}",
        "Grant it: for Redis ACL SETUSER NAME +@read +@write +@pubsub +@connection ~* &*",
    ),
    _rule(
        "database",
        r"DB index is out of range|invalid DB index|SELECT is not allowed",
        "{place} has no database {path}",
        "Use the number at the end of the URL that the workers use; Redis has 16 by default",
    ),
    _rule(
        "vhost",
        r"NOT_ALLOWED|\(530\)|vhost .* not found|no access to this vhost",
        "{place} has no virtual host {path!r}, or the user may not use it",
        "Check the end of the URL: / is written as //, or as %2F",
    ),
    _rule(
        "loading",
        r"LOADING|BusyLoading",
        "{place} is still loading its data",
        "Nothing to do: it will answer when it has finished",
    ),
    _rule(
        "replica",
        r"READONLY|ReadOnlyError|read only replica",
        "{place} is a replica that takes no writes",
        "Use the primary's address, or sentinel:// which finds it",
    ),
    _rule(
        "sentinel",
        r"MasterNotFound|No master found",
        "No sentinel knows a primary by the name given: {reason}",
        "Check master_name in broker_transport_options, and the sentinels' addresses",
    ),
    _rule(
        "clients",
        r"max number of clients|max clients",
        "{place} takes no more clients",
        "Close some, or raise maxclients on the broker",
    ),
    _rule(
        "memory",
        r"\bOOM\b|OutOfMemory|used memory >",
        "{place} is out of memory and refuses writes",
        "Make room: purge a queue, expire results, or raise maxmemory",
    ),
    _rule(
        "refused",
        r"ConnectionRefused|Connection refused|\bE(rr|rror) 111\b",
        "Nothing listens at {place}",
        "Check that the broker is up, and the port; in a container localhost is the container",
    ),
    _rule(
        "unreachable",
        r"No route to host|Network is unreachable|Host is down",
        "There is no way to {place}",
        "Check the network, a VPN or firewall, and the address",
    ),
    _rule(
        "socket",
        r"FileNotFoundError|No such file or directory",
        "There is no socket at {place}",
        "Check the path in the URL, and unixsocket in the broker's configuration",
    ),
    _rule(
        "permission",
        r"PermissionError|Permission denied",
        "This user may not open {place}",
        "Check the rights of the socket file",
    ),
    _rule(
        "closed",
        r"Connection ?reset|Connection closed by server|unexpectedly closed|Broken ?pipe|EOF"
        r"|Socket closed|CONNECTION_FORCED|heartbeats missed|Connection ?Aborted|RecoverableConn",
        "{place} closed the connection",
        "It was restarted, or it dropped us as too slow or too many: see the broker's own log",
    ),
)


class Silent(ConnectionError):
    """Our event connection is up by all appearances, and nothing comes through it any more."""


def explain(error: BaseException, broker: BrokerConnection) -> Fault:
    """Put what the libraries raised while talking to a broker into words, without passwords."""
    chain = list(_causes(error))
    if any(isinstance(one, Silent) for one in chain):
        return Fault(
            "silent",
            f"{_place(broker)} stopped answering on an open connection",
            "The network in between forgot it (a NAT or firewall does after minutes of quiet)",
        )
    text = " / ".join(f"{type(one).__module__}.{type(one).__name__}: {one}" for one in chain)
    reason = broker.hide(_reason(chain))
    words = _words(broker, reason)
    for rule in _RULES:
        if rule.pattern.search(text):
            return Fault(rule.kind, rule.problem.format(**words), rule.advice.format(**words))
    return Fault("other", "The connection to {place} failed: {reason}".format(**words), "")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, outermost first; each once."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending.append(one.__cause__)
        # A pool that looks for a free connection first leaves its IndexError behind.
        if not isinstance(one.__context__, LookupError):
            pending.append(one.__context__)


def _reason(chain: list[BaseException]) -> str:
    """Return the innermost text that says something, on one line."""
    for one in reversed(chain):
        text = str(one.args[0] if isinstance(one, KeyError) and one.args else one)
        text = " ".join(text.split())
        if text:
            return text[:LONGEST_REASON]
    return type(chain[0]).__name__


def _words(broker: BrokerConnection, reason: str) -> dict[str, str]:
    scheme = broker.scheme
    return {
        "place": _place(broker),
        "host": _host(broker) or "the broker",
        "path": _path(broker),
        "scheme": scheme,
        "plain": {"rediss": "redis", "amqps": "amqp"}.get(scheme, scheme),
        "reason": reason,
    }


def _place(broker: BrokerConnection) -> str:
    """Return host and port, or the socket's path, as the URL has it: never the credentials."""
    url = broker.url
    if "+socket://" in url:
        return "/" + _path(broker).removeprefix("/")
    if broker.scheme == "sentinel":
        hosts = (part.rpartition("@")[2].partition("://")[2] or part for part in url.split(";"))
        return ", ".join(host.partition("/")[0] for host in hosts)
    try:
        port = urlsplit(url).port
    except ValueError:
        port = None
    host = _host(broker) or "localhost"
    default = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}.get(broker.scheme)
    number = port or default
    return f"{host}:{number}" if number else host


def _host(broker: BrokerConnection) -> str:
    try:
        return urlsplit(broker.url).hostname or ""
    except ValueError:
        return ""


def _path(broker: BrokerConnection) -> str:
    try:
        return urlsplit(broker.url).path.removeprefix("/") or "/"
    except ValueError:
        return ""
