"""Turns errors of result backends into faults: what failed, why, and what to do about it."""

from __future__ import annotations

from typing import Final

from ...model.entities.fault import Fault
from ...settings import Settings
from ..connection.broker import BrokerConnection
from ..connection.faults import errors
from .backends.base import ResultsError

_DATABASE_RULES: Final = (
    errors.Rule(
        "table",
        r"no such table|relation .* does not exist|table .* doesn't exist|\b1146\b",
        "The database has no table of Celery results yet",
        "The workers create it with the first result; check the database's name",
    ),
    errors.Rule(
        "file",
        r"unable to open database file|no database file",
        "Cannot open the database file: {reason}",
        "A relative path starts in the worker's directory: use an absolute path or --workdir",
    ),
    errors.Rule(
        "database",
        r"database .* does not exist|Unknown database|\b1049\b",
        "The server has no such database: {reason}",
        "Check the end of the result backend's URL",
    ),
    errors.Rule(
        "auth",
        r"password authentication failed|Access denied|no password supplied|\b1045\b",
        "The database rejected the user name or password",
        "Check both in the result backend's URL",
    ),
    errors.Rule(
        "locked",
        r"database is locked",
        "The database is locked by another process that writes",
        "Try again; SQLite allows one writer at a time",
    ),
    errors.Rule(
        "driver",
        r"NoSuchModuleError",
        "SQLAlchemy does not support this database: {reason}",
        "Check the beginning of the result backend's URL",
    ),
)
_MONGODB_RULES: Final = (
    errors.Rule(
        "dns",
        r"DNS query name does not exist",
        "The host name in the mongodb+srv:// URL has no SRV record",
        "Check the spelling, or use mongodb:// with the servers' host names",
    ),
    errors.Rule(
        "url",
        # The invalid text may be part of the password: it is not shown.
        r"InvalidURI|InvalidName|ConfigurationError|ValueError",
        "The result backend's URL is invalid",
        "Percent-encode special characters in the password, for example / as %2F",
    ),
    errors.Rule(
        "auth",
        r"Authentication failed|\b(code|code_name)': (18\b|'AuthenticationFailed)",
        "MongoDB rejected the user name or password",
        "Check both in the result backend's URL, and authSource if the user is in another database",
    ),
    errors.Rule(
        "rights",
        r"not authorized|requires authentication|code': 13\b",
        "The MongoDB user may not read the results",
        "Grant it the role read on the results' database",
    ),
)
_PYMONGO_TIMEOUTS: Final = " (configured timeouts"
"""PyMongo lists its timeouts after this: every error would look like a timeout."""
_TERMS: Final = (
    ("CELTOP_BROKER_URL", "CELTOP_RESULT_BACKEND"),
    ("broker_transport_options", "result_backend_transport_options"),
    ("broker_use_ssl", "redis_backend_use_ssl"),
    ("broker", "result backend"),
)
"""Terms of a broker's fault, with those of a result backend."""

_PACKAGES: Final = {"MySQLdb": "mysqlclient"}
"""Drivers whose package has another name."""


def missing(module: str, scheme: str) -> ResultsError:
    """Return the error for a driver that is not installed."""
    package = _PACKAGES.get(module, module)
    return ResultsError(
        Fault(
            "driver",
            f"Reading results from {scheme}:// requires {package}",
            f"Install it in celtop's environment: pip install {package}",
        )
    )


def failure(error: BaseException, url: str, settings: Settings) -> ResultsError:
    """Return the error for an exception raised while talking to a result backend."""
    if isinstance(error, ResultsError):
        return error
    place = BrokerConnection(
        settings.model_copy(update={"broker_url": url, "result_backend": settings.broker_url})
    )
    # SQLAlchemy adds the statement to its text; the driver's own error has the cause.
    cause = error.__cause__ or error
    text = f"{type(error).__name__} {type(cause).__name__}: {cause}"
    reason = place.hide(" ".join(str(cause).split()))[: errors.MAX_REASON_LENGTH]
    if url.startswith("file://"):
        why = "it does not exist" if isinstance(error, FileNotFoundError) else "it is not readable"
        return ResultsError(
            Fault(
                "folder",
                f"Cannot read the results folder {url.removeprefix('file://')}: {why}",
                "Run celtop on the workers' host, or mount their folder at the same path",
            )
        )
    rules: tuple[errors.Rule, ...] = ()
    if url.startswith(("db+", "database+")):
        rules = _DATABASE_RULES
    elif url.startswith(("mongodb://", "mongodb+srv://")):
        rules = _MONGODB_RULES
    if named := errors.first_match(rules, text, {"reason": reason}):
        return ResultsError(named)
    if _PYMONGO_TIMEOUTS in str(error):
        error = ConnectionError(str(error).partition(_PYMONGO_TIMEOUTS)[0])
    fault = errors.explain(error, place)
    return ResultsError(Fault(fault.kind, _of_results(fault.problem), _of_results(fault.advice)))


def _of_results(words: str) -> str:
    for broker, results in _TERMS:
        words = words.replace(broker, results)
    return words
