"""A connection to PostgreSQL that is made again after it was lost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from ...model.text.passwords import mask_url
from ...model.text.urls import quote_credentials
from ..store import StoreError
from .errors import explain, invalid_url, missing_driver

if TYPE_CHECKING:
    from psycopg import Connection

CONNECT_TIMEOUT: Final = 5
"""Seconds, unless the URL has `connect_timeout`."""
RETRY_INTERVAL: Final = 0.5
"""Seconds between the first attempts to connect; doubled with each failure."""
MAX_RETRY_INTERVAL: Final = 4.0
_OPTIONS: Final[dict[str, Any]] = {
    "application_name": "celtop",
    "connect_timeout": CONNECT_TIMEOUT,
    # A connection through a dead network is given up after about ten seconds.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}
"""Options of libpq that the URL may override."""
_SESSION: Final = (
    "SET statement_timeout = '30s'",
    "SET lock_timeout = '2s'",
    "SET idle_in_transaction_session_timeout = '15s'",
    # All statements are short: compiling them takes longer than running them.
    "SET jit = off",
    # A day that has just begun has no statistics yet, but all searches have an index.
    "SET enable_seqscan = off",
    # The server releases the locks of a client that has vanished from the network after 4 seconds.
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 2",
)


class PostgresConnection:
    """Connects when it is first used, and again when it is used after the connection was lost.

    Args:
        url: `postgresql://...`, with the options of libpq.
        prepare: Called with each new connection in place; may raise StoreError.
        read_only: Whether the server refuses every change.
    """

    def __init__(self, url: str, prepare: Callable[[], None], *, read_only: bool) -> None:
        self.location = mask_url(url.strip())
        """The URL without its password."""
        self._url = quote_credentials(url.strip()).replace("postgresql+psycopg:", "postgresql:")
        self._prepare = prepare
        self._session = (*_SESSION, *(["SET default_transaction_read_only = on"] * read_only))
        self._connection: Connection[Any] | None = None
        self._failures = 0
        self._retry_at = -math.inf
        self._last_error: StoreError | None = None

    def get(self) -> Connection[Any]:
        """Return the connection, in autocommit mode.

        After a failure, the same error is raised until the next attempt is due.

        Raises:
            StoreError: The server cannot be reached, or refuses the connection.
        """
        if self._connection is not None and not self._connection.closed:
            return self._connection
        self.drop()
        if self._last_error is not None and time.monotonic() < self._retry_at:
            raise self._last_error
        try:
            self._connection = self._connect()
            self._prepare()
        except BaseException as error:
            self.drop()
            if isinstance(error, StoreError):
                self._last_error = error
                wait = RETRY_INTERVAL * 2.0 ** min(self._failures, 8)
                self._retry_at = time.monotonic() + min(wait, MAX_RETRY_INTERVAL)
                self._failures += 1
            raise
        self._failures, self._last_error = 0, None
        return self._connection

    def drop(self) -> None:
        """Close the connection; the server releases its locks."""
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Turn an error of psycopg in the block into a `StoreError`."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            raise explain(error, self.location) from error

    def can(self, statement: str) -> bool:
        """Run a statement that not every server supports; return whether this one does."""
        import psycopg

        connection = self.get()
        try:
            with connection.transaction():
                connection.execute(statement.encode())
        except psycopg.Error as error:
            if connection.closed:
                raise explain(error, self.location) from error
            return False
        return True

    def _connect(self) -> Connection[Any]:
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict, make_conninfo
        except ImportError:
            raise missing_driver() from None
        try:
            given = conninfo_to_dict(self._url)
        except psycopg.Error as error:
            raise invalid_url(self.location, str(error)) from None
        with self.failing():
            connection = psycopg.connect(make_conninfo(**{**_OPTIONS, **given}), autocommit=True)
            for statement in self._session:
                try:
                    connection.execute(statement.encode())
                except psycopg.DatabaseError:
                    if connection.closed:
                        raise  # otherwise the server lacks this setting
        return connection
