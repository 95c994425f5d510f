"""Finds the option that makes a connection attempt fail, in the URL or in the settings.

kombu and the drivers do not check options: a wrong name or value raises a TypeError or ValueError
somewhere, which seldom names the option. So the attempt is repeated with fewer and fewer options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlencode

from ....model.entities.fault import Fault
from ..broker import BrokerConnection

OPTION_ERRORS: Final = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    ImportError,
)
"""The errors for an option of a wrong name, type or value."""
CLIENT_ERRORS: Final = frozenset({"RedisError", "DataError"})
"""The errors of redis-py for values that it cannot use; its other errors derive from these."""
_TABLES: Final = ("broker_transport_options", "broker_use_ssl")

Attempt: TypeAlias = Callable[[BrokerConnection], object]
"""Connects to a broker in order to see whether that fails."""


def is_option_error(error: BaseException) -> bool:
    """Return whether an option may be the cause of an error, and not the network."""
    # kombu wraps the errors of the driver.
    return any(
        isinstance(one, OPTION_ERRORS) or type(one).__name__ in CLIENT_ERRORS
        for one in (error, error.__cause__)
    )


def invalid_option(broker: BrokerConnection, attempt: Attempt, reason: str) -> Fault | None:
    """Return the fault of the first option without which the attempt no longer fails like this.

    Args:
        broker: The connection whose attempt failed.
        attempt: Connects again, with fewer options.
        reason: The text of the error.
    """
    for name, place, fewer in _without_options(broker):
        try:
            attempt(fewer)
        except Exception as error:
            if is_option_error(error):
                continue
        if "unexpected keyword argument" in reason:
            return Fault("option", f"{place} has an unknown option {name}", "Remove it")
        return Fault(
            "option",
            f"{place} has an invalid option {name}: {reason}",
            "Correct or remove it",
        )
    return None


def _without_options(broker: BrokerConnection) -> Iterator[tuple[str, str, BrokerConnection]]:
    """Yield each option with its place, and the broker without this one and those before."""
    address, _, query = broker.url.partition("?")
    parameters = parse_qsl(query, keep_blank_values=True)
    settings = broker.settings
    while parameters:
        name = parameters.pop(0)[0]
        url = "?".join(filter(None, (address, urlencode(parameters))))
        settings = settings.model_copy(update={"broker_url": url})
        yield name, "The broker URL", BrokerConnection(settings)
    settings = settings.model_copy(update={"broker_url": address})
    for field in _TABLES:
        table = getattr(settings, field)
        for name in table if isinstance(table, dict) else ():
            kept = {key: value for key, value in getattr(settings, field).items() if key != name}
            settings = settings.model_copy(update={field: kept})
            yield name, field, BrokerConnection(settings)
