"""Transports whose driver is missing name the package, whatever kombu raises without it."""

from __future__ import annotations

from importlib import metadata

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.connection.faults.drivers import extra_of, missing_driver
from celtop.cluster.connection.faults.errors import explain
from celtop.settings import Settings


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.parametrize(
    ("scheme", "extra"),
    [("kafka", "confluentkafka"), ("SLMQ", "slmq"), ("sqla", "sqlalchemy"), ("nothing", "")],
)
def test_the_extra_is_named_after_the_module(scheme: str, extra: str) -> None:
    assert extra_of(scheme) == extra


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("scheme", "package", "error"),
    [
        ("kafka", "confluent-kafka", NameError("name 'KafkaException' is not defined")),
        ("sqs", "boto3", ModuleNotFoundError("No module named 'botocore'")),
        ("mongodb", "pymongo", ModuleNotFoundError("No module named 'pymongo'")),
        ("pyro", "yro4", AttributeError("'NoneType' object has no attribute 'locateNS'")),
        ("qpid", "qpid-tools", RuntimeError('The Python package "qpidtoollibs" is missing')),
    ],
)
def test_the_missing_package_is_named(scheme: str, package: str, error: Exception) -> None:
    fault = explain(error, BrokerConnection(Settings(broker_url=f"{scheme}://h")))
    assert fault.kind == "driver"
    assert package in fault.problem
    assert "pip install 'kombu[" in fault.advice


def test_nothing_is_missing_of_an_installed_driver() -> None:
    assert missing_driver("redis") is None
    fault = explain(OSError("odd"), BrokerConnection(Settings(broker_url="redis://h")))
    assert fault.kind == "other"
