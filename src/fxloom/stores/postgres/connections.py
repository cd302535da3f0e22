"""Reused connections, and transactions that are repeated when the server goes away or asks for it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from fxloom.stores.base import CorruptError, StoreError
from fxloom.stores.postgres.address import Address

T = TypeVar("T")
Connection = psycopg.Connection[Any]

PATIENCE = 60.0  # seconds to wait for a server that answered before
LOST = (
    psycopg.InterfaceError, errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow,
    errors.IdleInTransactionSessionTimeout,
)  # fmt: skip
REPEATABLE = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
OPTIONS = {
    "client_encoding": "UTF8",
    "application_name": "fxloom",
    "connect_timeout": "10",
    "keepalives_idle": "30",
}
# Set after connecting, which overrides PGTZ, PGOPTIONS and the like and the defaults of server, database and role.
SETTINGS = (
    "set time zone 'UTC'; set datestyle = 'ISO'; set extra_float_digits = 1; set search_path = ''; "
    "set statement_timeout = 0"
)


class Idle:
    """Idle connections to one server."""

    def __init__(self) -> None:
        self._connections: list[Connection] = []
        self._lock = threading.Lock()

    def take(self) -> Connection | None:
        with self._lock:
            return self._connections.pop() if self._connections else None

    def give(self, connection: Connection) -> None:
        with self._lock:
            self._connections.append(connection)

    def close(self) -> None:
        while (connection := self.take()) is not None:
            connection.close()


class Connections:
    """Connections to one server, each used by one thread at a time, kept open in between."""

    def __init__(self, server: Mapping[str, str], shown: str, patience: float | None = None) -> None:
        self.server = server
        self.shown = shown
        self.asked = patience
        self.patience = patience or 0.0
        self._idle = _idle(tuple(sorted(server.items())))

    def connect(self, name: str = "fxloom") -> Connection:
        """A new connection in UTC; psycopg.OperationalError if the server cannot be reached."""
        settings = {**OPTIONS, "application_name": name, **self.server}
        connection = psycopg.connect(**settings, autocommit=True, prepare_threshold=None)  # type: ignore[arg-type]
        connection.execute(SETTINGS)
        if connection.info.parameter_status("TimeZone") != "UTC":
            connection.close()
            raise StoreError(f"{self.shown}: its sessions cannot be set to UTC: check the server's time zones")
        return connection

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[Connection]:
        """A connection for the block, kept for reuse unless it broke or is still in a transaction."""
        connection = self._idle.take() or self.connect()
        # The server answers, so it is worth waiting for.
        self.patience = max(self.patience, PATIENCE if self.asked is None else self.asked)
        try:
            yield connection
        finally:
            idle = psycopg.pq.TransactionStatus.IDLE
            if connection.closed or connection.info.transaction_status != idle:
                connection.close()
            else:
                self._idle.give(connection)

    def close(self) -> None:
        """Close the idle connections."""
        self._idle.close()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction, repeated from its beginning if a conflict or the server ends it.

        StoreError if the server does not come back in time or reports another error; CorruptError if a table or
        column is missing.
        """
        deadline: float | None = None
        pause = 0.05
        while True:
            try:
                with self.borrowed() as connection, connection.transaction():
                    return work(connection)
            except psycopg.Error as error:
                now = time.monotonic()
                deadline = now + self.patience if deadline is None else deadline
                if not _passes(error) or now >= deadline:
                    if _lost(error):
                        self.patience = 0.0  # do not wait as long again for the same server
                    gone = isinstance(error, errors.UndefinedTable | errors.UndefinedColumn)
                    raise (CorruptError if gone else StoreError)(f"{self.shown}: {_message(error)}") from None
                if _lost(error):
                    self.close()
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, 2.0)


logging.getLogger("psycopg").addHandler(
    logging.NullHandler()
)  # otherwise it prints errors that it ignores while rolling back


def _lost(error: psycopg.Error) -> bool:
    """Whether the connection broke: errors without a code come from it, not from the server."""
    return isinstance(error, LOST) or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None)


def _passes(error: psycopg.Error) -> bool:
    return _lost(error) or isinstance(error, REPEATABLE)


def _message(error: psycopg.Error) -> str:
    """The server's message on one line, with its hint."""
    message = " ".join(str(error).split())
    if isinstance(error, errors.InsufficientPrivilege):
        message += " (docs/postgresql.md lists the required privileges)"
    return message


def connections_of(address: Address) -> Connections:
    """Connections to the server of ``address``, shared within this process."""
    return Connections(address.server, address.shown, address.patience)


@functools.cache
def _idle(_server: tuple[tuple[str, str], ...]) -> Idle:
    """This process's shared connections to a server."""
    idle = Idle()
    atexit.register(idle.close)
    return idle
