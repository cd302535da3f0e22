"""Advisory locks: one writer per store and per partition. The server releases them however the holder ends."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import time
from collections.abc import Iterator

import psycopg

from fxloom.stores.base import StoreError
from fxloom.stores.postgres.connections import Connection, Connections
from fxloom.system.lock import LockedError

BUSY = 20.0  # seconds to wait for another session to release a partition, such as one left by a killed run
LEAVING = 5.0  # seconds for the server to release the lock of a closed connection
LEFT = "the holder has just left"

HOLDER = """
    select a.application_name, a.backend_start
    from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
      and l.classid::bigint = %s and l.objid::bigint = %s
"""


def lock_key(*parts: str) -> int:
    """A 64-bit number for an advisory lock."""
    digest = hashlib.blake2b("\0".join(("fxloom", *parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@contextlib.contextmanager
def only_writer(connections: Connections, schema: str, purpose: str, wait: float) -> Iterator[None]:
    """Lock the store in ``schema`` for the block, on a separate connection; LockedError names the holder."""
    key = lock_key("store", schema)
    try:
        connection = connections.connect(f"fxloom {purpose}, process {os.getpid()} on {platform.node()}"[:63])
    except psycopg.Error as error:
        raise StoreError(f"{connections.shown}: {' '.join(str(error).split())}") from None
    with contextlib.closing(connection):
        began = time.monotonic()
        while not _taken(connection, "select pg_catalog.pg_try_advisory_lock(%s)", key):
            holder, waited = _holder(connection, key), time.monotonic() - began
            if waited >= (wait if holder else max(wait, LEAVING)):
                raise LockedError(f"{connections.shown} is in use: {holder or LEFT}")
            time.sleep(0.05)
        try:
            yield
        finally:  # closing releases the lock too, but some time later: the next writer would find it taken
            with contextlib.suppress(psycopg.Error):
                connection.execute("select pg_catalog.pg_advisory_unlock(%s)", [key])


def _taken(connection: Connection, query: str, key: int) -> bool:
    row = connection.execute(query, [key]).fetchone()
    return bool(row and row[0])


def _holder(connection: Connection, key: int) -> str:
    """Who holds a lock and since when, "" if it has been released."""
    unsigned = key & 0xFFFF_FFFF_FFFF_FFFF
    row = connection.execute(HOLDER, [unsigned >> 32, unsigned & 0xFFFF_FFFF]).fetchone()
    if row is None:
        return ""
    return f"{str(row[0]).removeprefix('fxloom ')}, since {row[1]:%Y-%m-%d %H:%M:%S} UTC"


def lock_partition(connection: Connection, schema: str, child: str) -> None:
    """Lock a partition until the transaction ends; StoreError if another session does not release it in time."""
    key = lock_key("partition", schema, child)
    deadline = time.monotonic() + BUSY
    while not _taken(connection, "select pg_catalog.pg_try_advisory_xact_lock(%s)", key):
        if time.monotonic() >= deadline:
            raise StoreError(
                f"{schema}.{child} is being written by another session ({_holder(connection, key) or LEFT}): try again"
            )
        time.sleep(0.05)


def lock_parent(connection: Connection, schema: str, parent: str) -> None:
    """Lock the list of partitions of ``parent`` until the transaction ends, waiting for other sessions."""
    connection.execute("select pg_catalog.pg_advisory_xact_lock(%s)", [lock_key("parent", schema, parent)])
