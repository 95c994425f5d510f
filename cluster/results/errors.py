"""A failure of a result backend in plain words, without passwords."""

from __future__ import annotations

import re
from typing import Final

from ...model.entities.fault import Fault
from ...settings import Settings
from ..connection import errors
from ..connection.broker import BrokerConnection
from .backends.base import ResultsError

_IN_DATABASES: Final = (
    (
        r"no such table|relation .* does not exist|table .* doesn't exist|\b1146\b",
        "table",
        "The database has no table of Celery results yet",
        "It is made when the first result is stored; check the database's name",
    ),
    (
        r"unable to open database file|no database file",
        "file",
        "The database file cannot be opened: {reason}",
        "A relative path counts from the worker's folder: give an absolute one, or --workdir",
    ),
    (
        r"database .* does not exist|Unknown database|\b1049\b",
        "database",
        "The server has no such database: {reason}",
        "Check the end of the result backend's URL",
    ),
    (
        r"password authentication failed|Access denied|no password supplied|\b1045\b",
        "auth",
        "The database refuses the user name or the password",
        "Check both in the result backend's URL",
    ),
    (
        r"database is locked",
        "locked",
        "The database is locked by somebody who writes",
        "Try again; SQLite lets one write at a time",
    ),
    (
        r"NoSuchModuleError",
        "driver",
        "SQLAlchemy does not know this kind of database: {reason}",
        "Check the beginning of the result backend's URL",
    ),
)
_IN_MONGODB: Final = (
    (
        r"DNS query name does not exist",
        "dns",
        "The host name in the mongodb+srv:// URL has no SRV record",
        "Check the spelling, or use mongodb:// with the servers' own names",
    ),
    (
        # What stands there may be a part of the password: it is not shown.
        r"InvalidURI|InvalidName|ConfigurationError|ValueError",
        "url",
        "The URL of the result backend cannot be right",
        "Special characters in a password must be written as %2F and so on",
    ),
    (
        r"Authentication failed|\b(code|code_name)': (18\b|'AuthenticationFailed)",
        "auth",
        "MongoDB refuses the user name or the password",
        "Check both in the result backend's URL, and authSource if the user is of another database",
    ),
    (
        r"not authorized|requires authentication|code': 13\b",
        "rights",
        "MongoDB does not let this user read the results",
        "Give it the role read on the database of the results",
    ),
)
_DRIVERS_NOTE: Final = " (configured timeouts"
"""After it PyMongo tells all it tried: whatever went wrong, it would look like a timeout."""
_TERMS: Final = (
    ("CELTOP_BROKER_URL", "CELTOP_RESULT_BACKEND"),
    ("broker_transport_options", "result_backend_transport_options"),
    ("broker_use_ssl", "redis_backend_use_ssl"),
    ("broker", "result backend"),
)
"""What the words for a broker say, and what a result backend's are."""

_PACKAGES: Final = {"MySQLdb": "mysqlclient"}
"""Drivers whose package is not called as they are."""


def missing(module: str, scheme: str) -> ResultsError:
    """Return what is to be said when a driver is not installed."""
    package = _PACKAGES.get(module, module)
    return ResultsError(
        Fault(
            "driver",
            f"Results in {scheme}:// cannot be read without {package}",
            f"Install it beside celtop: pip install {package}",
        )
    )


def failure(error: BaseException, url: str, settings: Settings) -> ResultsError:
    """Put what a library raised while it talked to a result backend into words."""
    if isinstance(error, ResultsError):
        return error
    place = BrokerConnection(
        settings.model_copy(update={"broker_url": url, "result_backend": settings.broker_url})
    )
    # SQLAlchemy has the statement in its text; the driver's own error says what is wrong.
    told = error.__cause__ or error
    text = f"{type(error).__name__} {type(told).__name__}: {told}"
    reason = place.hide(" ".join(str(told).split()))[: errors.MAX_REASON_LENGTH]
    if url.startswith("file://"):
        what = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be read"
        return ResultsError(
            Fault(
                "folder",
                f"The folder of results {url.removeprefix('file://')} {what} here",
                "Results in files are seen only where the workers' folder is",
            )
        )
    if url.startswith(("db+", "database+")):
        for pattern, kind, problem, advice in _IN_DATABASES:
            if re.search(pattern, text, re.IGNORECASE):
                return ResultsError(Fault(kind, problem.format(reason=reason), advice))
    if url.startswith(("mongodb://", "mongodb+srv://")):
        for pattern, kind, problem, advice in _IN_MONGODB:
            if re.search(pattern, text, re.IGNORECASE):
                return ResultsError(Fault(kind, problem, advice))
        if _DRIVERS_NOTE in str(error):
            error = ConnectionError(str(error).partition(_DRIVERS_NOTE)[0])
    fault = errors.explain(error, place)
    return ResultsError(Fault(fault.kind, _of_results(fault.problem), _of_results(fault.advice)))


def _of_results(words: str) -> str:
    for broker, results in _TERMS:
        words = words.replace(broker, results)
    return words
