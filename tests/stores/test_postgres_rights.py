"""Who may do what in a PostgreSQL store, and what of its address is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import Settings
from fxloom.stores.base import StoreError
from fxloom.stores.postgres import PostgresStore
from tests.stores.conformance import MARCH, TABLE, some_bars, some_columns, some_record
from tests.stores.databases import TS, as_role, database, lake, pg, query, schema

__all__ = ["database", "lake", "pg", "schema"]


def test_a_password_is_never_shown(lake: PostgresStore, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    from fxloom.cli import main

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
    """A role that may only make tables in the schema, and one that may only read: as docs/postgresql.md says."""
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


def test_the_rights_that_are_documented_suffice(database: str, schema: str, roles: tuple[str, str]) -> None:
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


def test_a_server_that_is_not_there_is_said_at_once(tmp_path: Any) -> None:
    with pytest.raises(StoreError, match="postgresql://someone@"):
        PostgresStore(f"postgresql://someone@/x?host={tmp_path}").settings()
