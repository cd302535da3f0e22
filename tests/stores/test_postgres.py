"""The PostgreSQL store on a real server: the conformance suite, and what only a database can do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
from conformance import StoreConformance
from psycopg import sql
from server import database

from fxloom.stores.postgres import PostgresStore

__all__ = ["database"]


def store_url(database: str, schema: str) -> str:
    return f"{database}{'&' if '?' in database else '?'}schema={quote(schema)}"


@pytest.fixture
def schema(database: str) -> Iterator[str]:
    """The name of a schema that is dropped afterwards; it needs quoting."""
    name = f'fx "{uuid.uuid4().hex[:10]}"'
    yield name
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))


@pytest.fixture
def store(database: str, schema: str) -> PostgresStore:
    return PostgresStore(store_url(database, schema))


class TestPostgresStore(StoreConformance):
    @pytest.fixture
    def store(self, database: str, schema: str) -> PostgresStore:
        return PostgresStore(store_url(database, schema))
