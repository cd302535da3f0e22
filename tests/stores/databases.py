"""PostgreSQL for tests: one schema per test, other roles, and stores."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
import psycopg
import pytest
from psycopg import sql

from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import Settings
from fxloom.stores.postgres import PostgresStore
from fxloom.stores.postgres.address import address_of, url_of
from tests.stores.conformance import MARCH, some_bars, some_columns, some_record
from tests.stores.server import database

__all__ = ["TS", "as_role", "connected", "database", "drop_schema", "lake", "pg", "query", "schema", "store_url"]

TS = MARCH + np.arange(200)  # the rows of the partition in ``lake``


def store_url(database: str, schema: str) -> str:
    return f"{database}{'&' if '?' in database else '?'}schema={quote(schema)}"


def connected(database: str) -> psycopg.Connection[Any]:
    return psycopg.connect(database, autocommit=True)


def query(database: str, text: str, *names: str) -> list[tuple[Any, ...]]:
    """Rows of the query ``text``, in which every {} is a quoted identifier: a.b for ("a", "b")."""
    with connected(database) as connection:
        cursor = connection.execute(sql.SQL(text).format(*(sql.Identifier(*n.split("/")) for n in names)))
        return cursor.fetchall() if cursor.description else []


def as_role(database: str, role: str, password: str, schema: str) -> str:
    """The URL of the store in ``schema`` for another role."""
    server = dict(address_of(database).server) | {"user": role, "password": password}
    return url_of(server, {"schema": schema})


@pytest.fixture
def schema(database: str) -> Iterator[str]:
    """The name of a schema that is dropped after the test; the name needs quoting."""
    name = f'fx "{uuid.uuid4().hex[:10]}"'
    yield name
    drop_schema(database, name)


def drop_schema(database: str, schema: str) -> None:
    """Drop a schema table by table: a full one has more tables than one transaction can lock."""
    with connected(database) as connection:
        found = connection.execute(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = %s and c.relkind in ('r', 'p') order by c.relispartition desc",
            [schema],
        ).fetchall()
        for (name,) in found:
            connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, name)))
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


@pytest.fixture
def pg(database: str, schema: str) -> PostgresStore:
    """An empty store in a new schema."""
    return PostgresStore(store_url(database, schema))


@pytest.fixture
def lake(pg: PostgresStore) -> PostgresStore:
    """A store with a month of bars and one partition, whose values are 0.5, 1.5, ..."""
    info = PairInfo(1.2, True, False, "bid")
    pg.write_settings(Settings(MARCH, "float32", {"eurusd": info}))
    pg.write_bars("eurusd", "2018-03", some_bars())
    pg.publish(some_record(), TS, None, some_columns())
    return pg
