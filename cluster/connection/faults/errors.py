"""Turns connection errors into faults: what failed, why, and what to do about it.

The libraries wrap each other's errors, and redis-py uses one exception class for most of them. So
the whole chain of causes is joined into one text, and the first matching rule names the fault.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from ....model.entities.fault import Fault
from ..broker import BrokerConnection
from .drivers import DRIVER_ERRORS, missing_driver

MAX_REASON_LENGTH: Final = 200
"""Characters of a library's own error text."""
REDIS_RIGHTS: Final = (
    "ACL SETUSER NAME ~* &* +@read +@write +@pubsub +@connection +@transaction +@scripting"
    " -@dangerous +time +info"
)
"""An ACL that suffices for everything that celtop shows and does; `-@dangerous` takes FLUSHALL and
the like out of `+@write` again."""


SERVERS: Final = {"rabbitmq": "amqp", "valkey": "redis", "valkeys": "rediss"}
"""Transports by the names of servers, which some take for a transport."""
PATH_OPTIONS: Final = {
    "filesystem": "broker_transport_options: data_folder_in and data_folder_out, as for the workers"
}
"""Where the paths of a transport are set, if not in `broker_use_ssl`."""
DEFAULT_PORTS: Final = {"redis": 6379, "rediss": 6379, "amqp": 5672, "pyamqp": 5672, "amqps": 5671}


class Rule(NamedTuple):
    """Names the fault of an error whose text matches `pattern`, in any case."""

    kind: str
    pattern: str
    problem: str
    advice: str


_RULES: Final = (
    Rule(
        "url",
        r"no broker URL",
        "No broker URL is set",
        "Pass one with -b, for example -b redis://localhost:6379/0, or name an app with -A",
    ),
    Rule(
        "url",
        r"Database is int between|invalid literal for int",
        "The broker URL names the database {path}, but Redis databases are numbered",
        "End the URL with a number, for example /0",
    ),
    Rule(
        "url",
        r"Invalid IPv6 URL|does not appear to be an IPv",
        "The broker URL is invalid: {reason}",
        "Write an IPv6 address in brackets, for example redis://[::1]:6379/0",
    ),
    Rule(
        "url",
        r"'master_name' transport option must",
        "The name of the Sentinel primary is not set",
        "Set master_name in broker_transport_options, as for the workers, or load the app with -A",
    ),
    Rule(
        "url",
        # The text in place of the port may be part of the password: it is not shown.
        r"Port could not be cast|Port out of range",
        "The port in the broker URL is not a number",
        "Percent-encode special characters in the password, for example / as %2F",
    ),
    Rule(
        "transport",
        r"No such transport|Invalid transport scheme",
        "Celery has no transport for {scheme}://",
        "{guess}Use redis://, rediss://, sentinel://, amqp://, amqps:// or another kombu transport",
    ),
    Rule(
        "driver",
        r"ModuleNotFoundError|ImportError|VersionMismatch",
        "Cannot load the driver for {scheme}://: {reason}",
        "Install it in celtop's environment",
    ),
    Rule(
        "dns",
        r"gaierror|Name or service not known|nodename nor servname|Temporary failure in name"
        r"|No address associated",
        "Cannot resolve the host name {host}",
        "Check the spelling; Compose and Kubernetes names resolve only inside their network",
    ),
    Rule(
        "tls",
        r"handshake operation timed out",
        "{address} accepts the connection but does not complete the TLS handshake",
        "A Redis port without TLS does not respond to it: try {plain}://, or the TLS port",
    ),
    Rule(
        "timeout",
        r"TimeoutError|timed out|Timeout ",
        "{address} does not respond",
        "Check the address and firewall; if the port is open, the broker hangs or is overloaded",
    ),
    Rule(
        "tls",
        r"CERTIFICATE_VERIFY_FAILED.*(hostname mismatch|not valid for|doesn't match)",
        "The certificate of {address} was issued for another host name",
        "Use the host name in the certificate, or issue a certificate for this one",
    ),
    Rule(
        "tls",
        r"CERTIFICATE_VERIFY_FAILED|self.signed certificate|unable to get local issuer",
        "The certificate of {address} is not signed by a trusted authority",
        "Set ssl_ca_certs=FILE in the URL or in broker_use_ssl to the authority's certificate",
    ),
    Rule(
        "tls",
        r"WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|record layer failure|HTTP_REQUEST",
        "{address} does not use TLS",
        "Use {plain}://, or the broker's TLS port",
    ),
    Rule(
        "tls",
        r"CERTIFICATE_REQUIRED|handshake failure|SSLError|SSLEOFError|ssl\.",
        "The TLS connection to {address} failed: {reason}",
        "Check that this is the broker's TLS port, and whether it requires a client certificate",
    ),
    Rule(
        "permission",
        r"ACCESS_REFUSED - (?!Login)|access to \w+ .* refused for user",
        "The user of {address} lacks a permission: {reason}",
        "Grant it; for RabbitMQ: rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'",
    ),
    Rule(
        "auth",
        r"NOAUTH|Authentication required|HELLO must be called",
        "{address} requires a password, but the URL has none",
        "Put :PASSWORD@ after the // of the URL; in CELTOP_BROKER_URL it is hidden from `ps`",
    ),
    Rule(
        "auth",
        r"WRONGPASS|invalid username-password|invalid password|ACCESS_REFUSED|AuthenticationError"
        r"|\(403\)|AccessRefused|called without any password configured",
        "{address} rejected the user name or password",
        "Check both in the URL; percent-encode special characters, for example @ as %40",
    ),
    Rule(
        "acl",
        r"NOPERM|No permissions|NoPermission",
        "The user of {address} lacks a permission: {reason}",
        "Grant what celtop and the workers need; for Redis: " + REDIS_RIGHTS,
    ),
    Rule(
        "database",
        r"DB index is out of range|invalid DB index|SELECT is not allowed",
        "{address} has no database {path}",
        "Use the database number of the workers' broker URL; Redis has 16 by default",
    ),
    Rule(
        "vhost",
        r"NOT_ALLOWED|\(530\)|vhost .* not found|no access to this vhost",
        "{address} has no virtual host {path!r}, or the user may not access it",
        "Check the end of the URL: the virtual host / is written as //, or as %2F",
    ),
    Rule(
        "loading",
        r"LOADING|BusyLoading",
        "{address} is still loading its data",
        "Wait: the connection is retried until it has finished",
    ),
    Rule(
        "sentinel",
        r"Only HELLO messages are accepted by Sentinel",
        "{address} is a Redis Sentinel, not the broker",
        "Use sentinel://{address}, with master_name in broker_transport_options",
    ),
    Rule(
        "replica",
        r"READONLY|ReadOnlyError|read only replica",
        "{address} is a read-only replica",
        "Use the primary's address, or sentinel:// to find it",
    ),
    Rule(
        "writes",
        r"MISCONF|NOREPLICAS",
        "{address} refuses writes: {reason}",
        "See the Redis log: it cannot save to disk, or too few replicas are connected",
    ),
    Rule(
        "sentinel",
        r"MasterNotFound|No master found",
        "No sentinel has a primary of the given name: {reason}",
        "Check master_name in broker_transport_options, and the sentinels' addresses",
    ),
    Rule(
        "clients",
        r"max number of clients|max clients",
        "{address} has reached its client limit",
        "Close some connections, or raise maxclients on the broker",
    ),
    Rule(
        "clients",
        # From redis-py: the server has sent something before it was asked anything.
        r"Connection has data",
        "{address} has reached its client limit, or is in protected mode",
        "Close some connections or raise maxclients; or set a password or bind address",
    ),
    Rule(
        "memory",
        r"\bOOM\b|OutOfMemory|used memory >",
        "{address} is out of memory and refuses writes",
        "Free memory (purge a queue, expire results) or raise maxmemory",
    ),
    Rule(
        "refused",
        r"ConnectionRefused|Connection refused|\bE(rr|rror) 111\b",
        "Cannot connect to {address}: connection refused",
        "Is the broker running on this port? In a container, localhost is the container itself",
    ),
    Rule(
        "unreachable",
        r"No route to host|Network is unreachable|Host is down",
        "Cannot reach {address} over the network",
        "Check the address, the network, and any VPN or firewall",
    ),
    Rule(
        "socket",
        r"FileNotFoundError|No such file or directory",
        "There is no {file}",
        "Check the path in the URL or in {path_options}",
    ),
    Rule(
        "permission",
        r"PermissionError|Permission denied",
        "No permission to open {file}",
        "Check its permissions",
    ),
    Rule(
        "closed",
        r"Connection ?reset|Connection closed by server|unexpectedly closed|Broken ?pipe|EOF"
        r"|Socket closed|CONNECTION_FORCED|heartbeats missed|Connection ?Aborted|RecoverableConn",
        "{address} closed the connection",
        "The broker was restarted or dropped this client: see the broker's log",
    ),
)
_NO_SCHEME: Final = Fault(
    "url",
    "The broker URL does not start with a transport",
    "Add redis:// or amqp://, for example redis://localhost:6379/0",
)


class Unresponsive(ConnectionError):
    """The event connection looks open, but nothing arrives through it any longer."""


def explain(error: BaseException, broker: BrokerConnection) -> Fault:
    """Return the fault behind an error raised while talking to a broker, without passwords."""
    chain = list(_causes(error))
    if any(isinstance(one, Unresponsive) for one in chain):
        return Fault(
            "silent",
            f"{address_of(broker)} stopped responding on an open connection",
            "Check for a NAT or firewall that drops idle connections after some minutes",
        )
    text = " / ".join(f"{type(one).__module__}.{type(one).__name__}: {one}" for one in chain)
    reason = reason_of(error, broker)
    words = _placeholders(broker, chain, reason)
    fault = first_match(_RULES, text, words)
    if fault is None or isinstance(error, DRIVER_ERRORS):
        fault = missing_driver(broker.scheme) or fault
    if fault is None:
        return Fault("other", f"The connection to {address_of(broker)} failed: {reason}", "")
    return _NO_SCHEME if fault.kind == "dns" and "://" not in broker.url else fault


def first_match(rules: Iterable[Rule], text: str, words: Mapping[str, str]) -> Fault | None:
    """Return the fault of the first rule that matches an error's text, filled in with `words`."""
    for rule in rules:
        if re.search(rule.pattern, text, re.IGNORECASE):
            return Fault(rule.kind, rule.problem.format(**words), rule.advice.format(**words))
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, outermost first, each once."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending.append(one.__cause__)
        # A pool's search for a free connection leaves an IndexError as context.
        if not isinstance(one.__context__, LookupError):
            pending.append(one.__context__)


def reason_of(error: BaseException, broker: BrokerConnection) -> str:
    """Return the innermost text of an error that is not empty, on one line, without passwords."""
    return broker.hide(_reason(error))


def _reason(error: BaseException) -> str:
    chain = list(_causes(error))
    for one in reversed(chain):
        text = str(one.args[0] if isinstance(one, KeyError) and one.args else one)
        text = " ".join(text.split())
        if text:
            return text[:MAX_REASON_LENGTH]
    return type(error).__name__


def _placeholders(
    broker: BrokerConnection, chain: list[BaseException], reason: str
) -> dict[str, str]:
    scheme = broker.scheme
    return {
        "address": address_of(broker),
        "file": _file(broker, chain),
        "path_options": PATH_OPTIONS.get(scheme, "broker_use_ssl"),
        "guess": _guess(scheme),
        "host": _parts(broker).hostname or "the broker",
        "path": _path(broker),
        "scheme": scheme,
        "plain": {"rediss": "redis", "amqps": "amqp"}.get(scheme, scheme),
        "reason": reason,
    }


def _guess(scheme: str) -> str:
    """Return a question that names the transport most like a misspelled one; empty if none is."""
    from kombu.transport import TRANSPORT_ALIASES

    known = {name: name for name in TRANSPORT_ALIASES if name != "librabbitmq"} | SERVERS
    near = difflib.get_close_matches(scheme.casefold(), known, n=1)
    return f"Did you mean {known[near[0]]}://? " if near else ""


def _file(broker: BrokerConnection, chain: list[BaseException]) -> str:
    """Return what an error is about: `file PATH` (which Python's TLS module omits) or `socket`.

    The broker of `filesystem://` is two folders.
    """
    named = [one.filename for one in chain if isinstance(one, OSError) and one.filename]
    certificates = [path for path in broker.certificate_files() if not os.access(path, os.R_OK)]
    found = [*named, *certificates]
    if found and broker.scheme == "filesystem":
        return f"folder {Path(found[0]).absolute()}"
    return f"file {found[0]}" if found else f"socket {address_of(broker)}"


def port_of(broker: BrokerConnection) -> tuple[str, int] | None:
    """Return the host and port that a URL leads to; None if it leads to none, or to several."""
    if "+socket://" in broker.url or broker.scheme not in DEFAULT_PORTS:
        return None
    try:
        port = _parts(broker).port
    except ValueError:
        return None
    return _parts(broker).hostname or "localhost", port or DEFAULT_PORTS[broker.scheme]


def address_of(broker: BrokerConnection) -> str:
    """Return host and port, or the socket's path, from the URL, without credentials."""
    url = broker.url
    if "+socket://" in url:
        return "/" + _path(broker).removeprefix("/")
    if broker.scheme == "sentinel":
        return ", ".join(f"{host}:{port}" for host, port in broker.sentinel_addresses())
    try:
        port = _parts(broker).port
    except ValueError:
        port = None
    host = _parts(broker).hostname or "localhost"
    number = port or DEFAULT_PORTS.get(broker.scheme)
    return f"{host}:{number}" if number else host


def _parts(broker: BrokerConnection) -> SplitResult:
    """Return the parts of the URL; all are empty if it is invalid."""
    try:
        return urlsplit(broker.url)
    except ValueError:
        return urlsplit("")


def _path(broker: BrokerConnection) -> str:
    return _parts(broker).path.removeprefix("/") or "/"
