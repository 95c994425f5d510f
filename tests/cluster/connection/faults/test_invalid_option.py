"""Options that kombu or the driver cannot use are named, without a connection where possible."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.connection.faults.diagnosis import diagnose, url_fault
from celtop.settings import Settings


def attempt(broker: BrokerConnection) -> None:
    """Fail as kombu does: options are checked before the network is used."""
    broker.prepare()
    if "max_connections" in broker.settings.broker_transport_options:
        raise ValueError("must be a positive integer")
    raise ConnectionRefusedError(111, "Connection refused")


def fault_of(url: str, **settings: Any) -> str:
    broker = BrokerConnection(Settings(broker_url=url, **settings))
    with pytest.raises(Exception, match=r".") as raised:
        attempt(broker)
    fault = diagnose(raised.value, broker, attempt)
    assert "TypeError" not in str(fault)
    return f"{fault.kind}: {fault.problem}"


def test_options_of_the_url() -> None:
    assert fault_of("redis://127.0.0.1:1/0?ssl_ca_certs=x&socket_timeout=abc") == (
        "option: The broker URL has an unknown option socket_timeout"
    )
    assert fault_of("amqp://127.0.0.1:1//?heartbeat=soon").startswith(
        "option: The broker URL has an invalid option heartbeat: could not convert"
    )


def test_options_of_the_settings() -> None:
    options = {"sep": ":", "max_connections": "many", "visibility_timeout": 60}
    assert fault_of("redis://127.0.0.1:1/0", broker_transport_options=options) == (
        "option: broker_transport_options has an invalid option max_connections: "
        "must be a positive integer"
    )


def test_a_failure_of_the_network_is_no_invalid_option() -> None:
    options = {"visibility_timeout": 60}
    found = fault_of("amqp://127.0.0.1:1//?ssl_x=1", broker_transport_options=options)
    assert found.startswith("refused")


def test_an_error_that_stays_without_options_is_something_else() -> None:
    options = {"visibility_timeout": 60}
    assert fault_of("reddis://h/0", broker_transport_options=options).startswith("transport")


def kind_of(url: str) -> str | None:
    fault = url_fault(Settings(broker_url=url))
    return None if fault is None else fault.kind


def test_what_a_url_alone_shows() -> None:
    assert kind_of("reddis://h") == kind_of("redis://h/0;reddis://h") == "transport"
    assert kind_of("amqp://h//?foo=1") == "option"
    assert kind_of("redis://h/0") is kind_of("rediss://h/0?ssl_cert_reqs=none") is None
    assert kind_of("filesystem://") is kind_of("") is None
