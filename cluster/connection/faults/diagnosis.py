"""Explains why no connection could be made, with a look at what is really there.

The text of an error often fits several faults: a closed connection may be a restart, a TLS port, or
another kind of server. `diagnose` asks the port or the sentinels before it names one of them.
"""

from __future__ import annotations

from typing import Final

from ....model.entities.broker import family_of
from ....model.entities.fault import Fault
from ....settings import Settings
from ..broker import BrokerConnection, broker_urls, scheme_of
from .errors import address_of, explain, port_of, reason_of
from .identify import identify, mismatch
from .invalid_option import Attempt, invalid_option, is_option_error
from .sentinels import sentinel_fault

AMBIGUOUS: Final = frozenset({"closed", "timeout", "tls", "other"})
"""Faults that another server on the port, or TLS, may be the cause of."""


def diagnose(error: BaseException, broker: BrokerConnection, attempt: Attempt) -> Fault:
    """Return the fault behind a failed connection attempt; may block for some seconds.

    Args:
        error: What the attempt raised.
        broker: The connection that failed.
        attempt: Connects again, to see whether an option is at fault.
    """
    if is_option_error(error):
        found = invalid_option(broker, attempt, reason_of(error, broker))
        if found is not None:
            return found
    fault = explain(error, broker)
    if broker.scheme == "sentinel" and fault.kind in ("sentinel", "refused", "timeout"):
        options = broker.settings.broker_transport_options
        name = str(options.get("master_name", ""))
        nodes = broker.sentinel_addresses()
        return sentinel_fault(nodes, name, options.get("sentinel_kwargs") or {})
    if fault.kind not in AMBIGUOUS:
        return fault
    where = port_of(broker)
    listener = None if where is None else identify(*where)
    if listener is None:
        return fault
    return mismatch(listener, broker.scheme, family_of(broker.scheme), address_of(broker)) or fault


def url_fault(settings: Settings) -> Fault | None:
    """Return the fault of a broker URL that can never be used, found without a connection.

    Ordinary URLs of Redis and RabbitMQ are passed without a look: that would import kombu.
    """
    for url in broker_urls(settings.broker_url):
        if family_of(scheme_of(url)) != "other" and "?" not in url:
            continue
        broker = BrokerConnection(settings.model_copy(update={"broker_url": url}))
        try:
            broker.prepare()
        except Exception as error:
            fault = diagnose(error, broker, BrokerConnection.prepare)
            if fault.is_configuration:
                return fault
    return None
