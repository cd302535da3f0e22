"""Permissions in a PostgreSQL store, and what is shown of its address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from fxloom.bars.pairs import PairInfo
from fxloom.cli import main
from fxloom.engine.partitions import Settings
from fxloom.stores.base import StoreError
from fxloom.stores.postgres import PostgresStore
from fxloom.stores.postgres.address import url_of
from tests.lakes import write_market
from tests.stores.conformance import MARCH, TABLE, some_bars, some_columns, some_record
from tests.stores.databases import TS, as_role, database, lake, pg, query, schema
from tests.stores.server import running

__all__ = ["database", "lake", "pg", "schema"]


def test_a_password_is_never_shown(lake: PostgresStore, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "s3cr%20t/w0rd"
    url = as_role(database, "owner" if "owner@" in database else "nobody", "s3cr t/w0rd", lake.schema)
    store = PostgresStore(url)
    shown = [store.url, repr(store), repr(store._address), str(store._address)]
    for command in (["populate", "--plan"], ["audit"], ["init"], ["matrix", "--features", "nonsense", "--out", "x"]):
        main([*command, "--store", url])
    main(["audit", "--store", "postgresql://me:s3cr t/w0rd@nowhere.invalid/db"])
    main(["audit", "--store", url.replace("schema=", "schemma=")])
    out, err = capsys.readouterr()
    for text in (out, err, *shown):
        assert "s3cr" not in text
        assert "w0rd" not in text
    assert secret in store.address or "s3cr%20t%2Fw0rd" in store.address


@pytest.fixture
def roles(database: str, schema: str) -> Iterator[tuple[str, str]]:
    """One role that may only create tables in the schema and one that may only read, as in docs/postgresql.md."""
    writer, reader = f"writer of {schema}", f"reader of {schema}"
    for role in (writer, reader):
        query(database, "create role {} login password 'x'", role)
    query(database, "create schema {}", schema)
    query(database, "grant usage, create on schema {} to {}", schema, writer)
    query(database, "grant usage on schema {} to {}", schema, reader)
    query(
        database, "alter default privileges for role {} in schema {} grant select on tables to {}",
        writer, schema, reader,
    )  # fmt: skip
    yield writer, reader
    for role in (writer, reader):
        query(database, "drop owned by {}", role)
        query(database, "drop role {}", role)


def test_the_documented_rights_suffice(database: str, schema: str, roles: tuple[str, str]) -> None:
    writer, reader = (PostgresStore(as_role(database, role, "x", schema)) for role in roles)
    with writer.exclusive("ingest"):
        writer.write_settings(Settings(MARCH, "float32", {"eurusd": PairInfo(1.2, True, False, "bid")}))
        writer.write_bars("eurusd", "2018-03", some_bars())
        writer.publish(some_record(), TS, None, some_columns())
        writer.publish(some_record(fingerprint="f2"), TS, None, some_columns())
    assert reader.settings() is not None
    assert reader.records() == [some_record(fingerprint="f2")]
    assert reader.find_corrupt() == []
    assert len(reader.read_bars("eurusd", MARCH, MARCH + 1440)) == 200
    frame = reader.scan(TABLE, ["eurusd"], None, None)
    assert frame is not None
    assert frame.collect().height == 200
    for act in (
        lambda: reader.publish(some_record(fingerprint="f3"), TS, None, some_columns()),
        lambda: reader.write_bars("eurusd", "2018-03", some_bars()),
        lambda: reader.keep("a", "b"),
    ):
        with pytest.raises(StoreError, match="permission denied"):
            act()


def test_an_unreachable_server_is_reported_at_once(tmp_path: Any) -> None:
    with pytest.raises(StoreError, match="postgresql://someone@"):
        PostgresStore(f"postgresql://someone@/x?host={tmp_path}").settings()


PASSWORD = "s3cr%t/w0rd:@ 1"


@pytest.fixture
def locked() -> Iterator[str]:
    """The URL of a store whose owner must connect with a password."""
    for server in running():
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"create role locked login password '{PASSWORD}'")
            connection.execute("create schema market authorization locked")
        server.require_password("locked")
        yield url_of({"user": "locked", "password": PASSWORD, "dbname": "postgres", "host": str(server.folder)},
                     {"schema": "market"})  # fmt: skip


@pytest.mark.slow
def test_workers_connect_with_a_password(locked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StoreError, match="password"):
        PostgresStore(locked.replace(quote(PASSWORD, safe=""), "wrong")).settings()
    files = str(write_market(tmp_path / "files", start=dt.date(2024, 1, 10), end=dt.date(2024, 1, 31)))
    tables = ["--tables", "bollinger,time_features"]
    assert main(["ingest", "--store", locked, files]) == 0
    assert main(["populate", "--store", locked, "--workers", "2", *tables]) == 0
    assert main(["verify", "--store", locked, "--workers", "2", "--samples", "1", "--budget", "60s", *tables]) == 0
    assert main(["copy", "--from", locked, "--to", str(tmp_path / "copy")]) == 0
    said = capsys.readouterr()
    assert "s3cr" not in said.out + said.err
    assert len(PostgresStore(locked).records(["time_features"])) == 2
