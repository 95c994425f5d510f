"""The steps to a connection: settings, host name, port, TLS, server, password, database.

Host names and ports are tried directly, so that a fault of the network is seen without kombu. The
rest is one attempt to connect as a session does: its fault names the step that failed, and those
before it have passed.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from ...model.entities.fault import Fault
from ...model.health.steps import Step, StepKind
from ...settings import Settings
from ..connection.broker import BrokerConnection
from ..connection.faults.diagnosis import diagnose, url_fault
from ..connection.faults.errors import address_of, explain, port_of
from ..results.lookups import run_in_thread
from .permissions import permission_faults

if TYPE_CHECKING:
    from kombu.connection import Connection

T = TypeVar("T")

DNS_TIMEOUT: Final = 5.0
"""Seconds for the resolver, which has no timeout of its own."""
PORT_TIMEOUT: Final = 4.0
"""Seconds for a host to accept a connection."""
ATTEMPT_TIMEOUT: Final = 25.0
"""Seconds for an attempt to connect, and to find out what its failure means."""
PERMISSIONS_TIMEOUT: Final = 10.0

SETTINGS: Final = StepKind("settings", "Settings")
DNS: Final = StepKind("dns", "Host name")
PORT: Final = StepKind("tcp", "Port")
SENTINEL: Final = StepKind("sentinel", "Sentinel")
TLS: Final = StepKind("tls", "TLS")
SERVER: Final = StepKind("server", "Server")
LOGIN: Final = StepKind("password", "Password")
DATABASE: Final = StepKind("database", "Database")
VIRTUAL_HOST: Final = StepKind("database", "Virtual host")
PERMISSIONS: Final = StepKind("permissions", "Permissions")

_STEP_OF_FAULT: Final[dict[str, StepKind]] = {
    "url": SETTINGS, "option": SETTINGS, "transport": SETTINGS, "driver": SETTINGS,
    "dns": DNS, "refused": PORT, "unreachable": PORT,
    "sentinel": SENTINEL, "primary": SENTINEL,
    "tls": TLS, "auth": LOGIN, "database": DATABASE, "vhost": DATABASE,
    "acl": PERMISSIONS, "permission": PERMISSIONS,
}  # fmt: skip
"""The step that failed, by the kind of fault; `SERVER` for all others."""


class Examination:
    """The steps for one set of settings; each takes a bounded time.

    Use it as a context manager: it keeps the connection that it has made until the end.
    """

    def __init__(self, settings: Settings) -> None:
        self._broker = BrokerConnection(settings)
        self._connection: Connection | None = None
        self._fault: Fault | None = None

    def __enter__(self) -> Examination:
        return self

    def __exit__(self, *_: object) -> None:
        self._broker.meter.cut()

    @property
    def kinds(self) -> tuple[StepKind, ...]:
        """The steps that there are for this kind of broker, in their order."""
        broker = self._broker
        if not (broker.is_redis or broker.is_amqp):
            return SETTINGS, SERVER
        network = () if _socket_path(broker) else (DNS,)
        sentinel = (SENTINEL,) if broker.scheme == "sentinel" else ()
        database = VIRTUAL_HOST if broker.is_amqp else DATABASE
        return (SETTINGS, *network, PORT, *sentinel, TLS, SERVER, LOGIN, database, PERMISSIONS)

    def steps(self) -> Iterator[Step]:
        """Yield the result of each step; after one that failed, the others are not checked."""
        passed = True
        for kind in self.kinds:
            if not passed:
                yield Step(kind, "not checked")
                continue
            step = self._run(kind)
            passed = step.is_passed
            yield step

    def _run(self, kind: StepKind) -> Step:
        examine: dict[str, Callable[[], Step]] = {
            "settings": self._settings,
            "dns": self._dns,
            "tcp": self._port,
            "tls": self._tls,
            "permissions": self._permissions,
        }
        try:
            return examine.get(kind.name, lambda: self._attempted(kind))()
        except Exception as error:
            return Step.failed(kind, explain(error, self._broker))

    def _settings(self) -> Step:
        settings = self._broker.settings
        if not settings.broker_url:
            advice = "Pass one with -b, set CELTOP_BROKER_URL, or name an app with -A"
            return Step(SETTINGS, "failed", "no broker URL is set", advice)
        if (fault := url_fault(settings)) is not None:
            return Step.failed(SETTINGS, fault)
        for url in self._broker.urls:
            _ = urlsplit(url).port  # raises an error if it is invalid
        url, source = self._broker.shown_url, settings.source("broker_url")
        return Step(SETTINGS, "ok", f"{url} ({source})")

    def _dns(self) -> Step:
        found, faults = [], []
        for host in dict.fromkeys(host for host, _ in self._nodes()):
            try:
                addresses = within(DNS_TIMEOUT, partial(_addresses, host))
                is_address = addresses == [host]
                found.append(f"{host} is {'an address' if is_address else ', '.join(addresses)}")
            except Exception as error:
                faults.append(_dns_fault(host, error))
        return _of_several(DNS, found, faults)

    def _port(self) -> Step:
        if path := _socket_path(self._broker):
            with socket.socket(socket.AF_UNIX) as plain:
                plain.settimeout(PORT_TIMEOUT)
                plain.connect(path)
            return Step(PORT, "ok", f"the socket {path} accepts connections")
        found, faults, chosen = [], [], False
        for host, port in self._nodes():
            started = time.monotonic()
            try:
                socket.create_connection((host, port), PORT_TIMEOUT).close()
            except OSError as error:
                faults.append(_port_fault(host, port, error, self._broker))
                if not chosen and len(self._broker.urls) > 1:
                    self._broker.fail_over()
                continue
            chosen = True
            took = (time.monotonic() - started) * 1000
            found.append(f"{host}:{port} accepts connections ({took:.1f} ms)")
        return _of_several(PORT, found, faults)

    def _tls(self) -> Step:
        for path in self._broker.certificate_files():
            if not os.access(path, os.R_OK):
                what = "is not readable" if Path(path).exists() else "does not exist"
                advice = "Correct the path in the URL or in broker_use_ssl"
                return Step(TLS, "failed", f"the file {path} {what}", advice)
        step = self._attempted(TLS)
        if not step.is_passed:
            return step
        if not self._broker.prepare().ssl:
            return Step(TLS, "ok", "not used")
        unverified = self._broker.unverified()
        if unverified is not None:
            return Step(TLS, "warning", unverified.problem, unverified.advice)
        return Step(TLS, "ok", "encrypted, certificate verified")

    def _attempted(self, kind: StepKind) -> Step:
        """Return the result of a step by the one attempt to connect."""
        if self._connection is None and self._fault is None:
            self._attempt()
        if self._fault is None:
            return Step(kind, "ok", self._passed(kind))
        failed = _STEP_OF_FAULT.get(self._fault.kind, SERVER)
        names = [one.name for one in self.kinds]
        reached = names.index(failed.name) if failed.name in names else names.index(SERVER.name)
        if names.index(kind.name) < reached:
            return Step(kind, "ok", self._passed(kind))
        return Step.failed(kind, self._fault)

    def _attempt(self) -> None:
        broker = self._broker

        def connect() -> Connection | Fault:
            try:
                return broker.connect()
            except Exception as error:
                return diagnose(error, broker, lambda one: one.connect().collect())

        try:
            made = within(ATTEMPT_TIMEOUT, connect)
        except TimeoutError as error:
            broker.meter.cut()
            made = explain(error, broker)
        if isinstance(made, Fault):
            self._fault = made
        else:
            self._connection = made

    def _passed(self, kind: StepKind) -> str:
        broker = self._broker
        parts = urlsplit(broker.url)
        if kind == SERVER:
            version = "" if self._connection is None else _version(self._connection, broker)
            return f"{version or address_of(broker)} replies"
        if kind == LOGIN:
            user = unquote(parts.username or "") or "the default user"
            return f"{user} was accepted" if parts.password else "none in the URL, none required"
        if kind == SENTINEL:
            name = broker.settings.broker_transport_options.get("master_name")
            return f"the sentinels monitor a primary named {name!r}"
        if kind.name == DATABASE.name:
            name = unquote(parts.path.removeprefix("/")) or ("/" if broker.is_amqp else "0")
            return f"{name} can be used"
        return ""

    def _permissions(self) -> Step:
        if self._fault is not None or self._connection is None:
            return self._attempted(PERMISSIONS)
        connection, broker = self._connection, self._broker
        try:
            faults = within(PERMISSIONS_TIMEOUT, lambda: permission_faults(connection, broker))
        except TimeoutError:
            return Step(PERMISSIONS, "warning", "the broker did not reply to every question")
        if not faults:
            return Step(PERMISSIONS, "ok", "everything that celtop and workers need is allowed")
        problems = "; ".join(dict.fromkeys(one.problem for one in faults))
        return Step(PERMISSIONS, "failed", problems, faults[0].advice)

    def _nodes(self) -> list[tuple[str, int]]:
        """Return the hosts and ports of all URLs, or of all sentinels."""
        if self._broker.scheme == "sentinel":
            return list(self._broker.sentinel_addresses())
        settings = self._broker.settings
        urls = (settings.model_copy(update={"broker_url": url}) for url in self._broker.urls)
        return [node for one in urls if (node := port_of(BrokerConnection(one))) is not None]


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return the result of `work`, which runs in another thread.

    Raises:
        TimeoutError: It has not ended within `seconds`; it goes on in the background.
        Exception: What `work` raised.
    """
    return run_in_thread(work).result(seconds)


def _addresses(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _dns_fault(host: str, error: Exception) -> Fault:
    if isinstance(error, TimeoutError):
        problem = f"no reply about the host name {host} within {DNS_TIMEOUT:g} s"
        return Fault("dns", problem, "Check the name servers in /etc/resolv.conf")
    advice = "Check the spelling; Compose and Kubernetes names resolve only inside their network"
    return Fault("dns", f"Cannot resolve the host name {host}", advice)


def _port_fault(host: str, port: int, error: OSError, broker: BrokerConnection) -> Fault:
    fault = explain(error, broker)
    return Fault(
        fault.kind, fault.problem.replace(address_of(broker), f"{host}:{port}"), fault.advice
    )


def _of_several(kind: StepKind, found: list[str], faults: list[Fault]) -> Step:
    """Return a step on several hosts, of which one has to work."""
    if not faults:
        return Step(kind, "ok", "; ".join(found))
    problems = "; ".join(dict.fromkeys(one.problem for one in faults))
    if not found:
        return Step(kind, "failed", problems, faults[0].advice)
    return Step(kind, "warning", f"{problems}; {'; '.join(found)}", faults[0].advice)


def _socket_path(broker: BrokerConnection) -> str:
    """Return the path of the Unix socket in the URL; empty if it has none."""
    return address_of(broker) if "+socket://" in broker.url else ""


def _version(connection: Connection, broker: BrokerConnection) -> str:
    """Return the name and version of the server; empty if it does not report them."""
    try:
        if broker.is_redis:
            info: Any = connection.default_channel.client.info("server")
            kind = "Valkey" if "valkey_version" in info else "Redis"
            return f"{kind} {info.get('valkey_version') or info['redis_version']}"
        if broker.is_amqp:
            reported: Any = getattr(connection.connection, "server_properties", {})
            return f"{reported['product']} {reported['version']}"
    except Exception:
        # Optional information, which permissions may exclude.
        return ""
    return ""
