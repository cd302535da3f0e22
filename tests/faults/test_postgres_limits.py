"""A store in PostgreSQL under roles and limits: commands end with a reason, and a run without the limit completes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fxloom.cli import main
from fxloom.run.copy import copy_store
from fxloom.run.populate import populate
from fxloom.stores.postgres import PostgresStore
from tests.faults.test_kills import END, PAIRS, START
from tests.faults.test_postgres_kills import bars_of, features_of
from tests.lakes import QUICK, make_lake
from tests.stores.databases import as_role, connected, query, schema, store_url
from tests.stores.server import database

__all__ = ["database", "schema"]

LIMITS = (0.8, 1.0, 1.4, 2.0) if int(os.environ.get("FXLOOM_FAULTS") or 0) >= 100 else (1.0,)
POPULATE = ["populate", "--tables", ",".join(QUICK), "--workers", "2"]


@pytest.fixture
def store(database: str, schema: str, tmp_path: Path) -> PostgresStore:
    """Bars of two pairs, no features; their files are in ``tmp_path``."""
    made = PostgresStore(store_url(database, schema))
    copy_store(make_lake(tmp_path, PAIRS, START, END), made)
    return made


@pytest.fixture
def role(database: str, store: PostgresStore) -> Iterator[str]:
    """A role that may do nothing yet, made after the store."""
    name = f"role of {store.schema}"
    query(database, "create role {} login password 'x'", name)
    yield name
    query(database, "drop owned by {}", name)
    query(database, "drop role {}", name)


def test_a_role_that_may_only_read(
    database: str, store: PostgresStore, role: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not populate(store, tables=["bqx_momentum"], workers=1).troubles
    bars, features = bars_of(store), features_of(store)
    query(database, "grant usage on schema {} to {}", store.schema, role)
    query(database, "grant select on all tables in schema {} to {}", store.schema, role)
    url = as_role(database, role, "x", store.schema)
    for command in (POPULATE, ["ingest", "--replace", str(tmp_path / "files")], ["init", "--rebase"]):
        assert main([*command, "--store", url]) in ((0, 1) if command[0] == "ingest" else (1,))
    assert "permission denied" in capsys.readouterr().err
    assert main(["audit", "--whole", "--store", url]) == 0
    assert (bars_of(store), features_of(store)) == (bars, features)


def test_fewer_connections_than_workers_need(database: str, store: PostgresStore, role: str, tmp_path: Path) -> None:
    query(database, "grant {} to {}", _owner(database), role)
    query(database, "alter role {} connection limit 1", role)
    ended = run([*POPULATE, "--store", as_role(database, role, "x", store.schema)])
    assert ended.returncode in (0, 1)
    assert "Traceback" not in ended.stderr
    completes(store, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory")
@pytest.mark.parametrize("gigabytes", LIMITS)
def test_too_little_memory(gigabytes: float, store: PostgresStore, tmp_path: Path) -> None:
    ended = run([*POPULATE, "--store", store.address], int(gigabytes * 1e9))
    print(f"\npopulate into PostgreSQL with {gigabytes} GB of address space: status {ended.returncode}")
    completes(store, tmp_path)


def run(command: list[str], memory: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of fxloom in a process of its own, with so many bytes of address space."""

    def limited() -> None:
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    program = [sys.executable, "-m", "fxloom", *command]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=1200, preexec_fn=limited)


def completes(store: PostgresStore, tmp_path: Path) -> None:
    """What was published is right, and a run without limits adds the rest."""
    before = features_of(store)
    assert not populate(store, tables=QUICK, workers=1, wait=60.0).troubles
    after = features_of(store)
    assert before.items() <= after.items()
    assert not store.find_corrupt() + store.verify()
    folder = make_lake(tmp_path / "again", PAIRS, START, END)
    assert not populate(folder, tables=QUICK, workers=1).troubles
    assert after == features_of(folder)


def _owner(database: str) -> str:
    with connected(database) as connection:
        return str(connection.info.user)
