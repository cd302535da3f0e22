"""Database addresses: other forms are refused, and no password is ever shown."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psycopg
import pytest

from fxloom.cli import main
from fxloom.stores import open_backend
from fxloom.stores.addresses import looks_like_address, without_addresses
from fxloom.stores.base import StoreError
from fxloom.stores.postgres.address import address_of

SECRET = "s3cret"
FOREIGN = [
    f"postgresql+psycopg2://u:{SECRET}@h/db", f"POSTGRESQL://u:{SECRET}@h/db", f" postgresql://u:{SECRET}@h/db",
    f"host=h password={SECRET}", f"user=u password = {SECRET}", f"jdbc:postgresql://h/db?user=u&password={SECRET}",
    f"mysql://u:{SECRET}@h/db", f"postgresql:/u:{SECRET}@h/db", f"u:{SECRET}@h/db", f"dbname=x passfile={SECRET}",
]  # fmt: skip


@pytest.mark.parametrize("address", FOREIGN)
def test_a_foreign_address_is_refused_and_not_shown(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [
        ["ingest", "--store", address, "."], ["ingest", "--store", "lake", address], ["audit", "--store", address],
        ["copy", "--from", address, "--to", "lake"], ["copy", "--from", "lake", "--to", address],
        ["demo", "--store", address], ["init", "--store", address], ["audit", address],
        ["populate", "--workers", address], [address], ["audit", f"--stroe={address}"],
        ["populate", "--tables", address],
    ]  # fmt: skip
    for command in commands:
        try:
            status = main(command)
        except SystemExit as ended:
            status = ended.code  # type: ignore[assignment]
        said = capsys.readouterr()
        assert status, command
        assert SECRET not in said.out + said.err, command
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize("path", ["lake", "/data/fx store", "C:\\lake", "./a:b", "m1/pair=eurusd", "~/lake", "user.db"])
def test_plain_paths_are_accepted(path: str) -> None:
    assert not looks_like_address(path)


def test_a_misplaced_database_url_is_not_echoed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["audit", f"postgresql://u:{SECRET}@h/db"])
    assert SECRET not in capsys.readouterr().err


def test_messages_keep_words_without_secrets() -> None:
    assert without_addresses("unknown table 'x'", ["--tables", "x"]) == "unknown table 'x'"


@pytest.mark.parametrize(
    "option", ["password", "sslpassword", "passfile", "oauth_client_secret", "scram_client_key", "scram_server_key"]
)
def test_libpq_secrets_are_never_shown(option: str) -> None:
    url = f"postgresql://u@h/db?{option}={SECRET}"
    known = option in {o.keyword.decode() for o in psycopg.pq.Conninfo.get_defaults()}
    with contextlib.nullcontext() if known else pytest.raises(StoreError) as refusal:
        address = address_of(url)
        assert SECRET not in address.shown
        assert SECRET not in repr(address)
        assert SECRET in address.text
    assert SECRET not in str(refusal)


@pytest.mark.parametrize("query", ["patience=nan", "patience=inf", "patience=-1", "patience=soon"])
def test_an_infinite_timeout_is_refused(query: str) -> None:
    with pytest.raises(StoreError, match="not a valid PostgreSQL URL"):
        open_backend(f"postgresql://u@h/db?{query}")


@pytest.mark.parametrize("option", ["schema", "bars"])
def test_names_the_server_would_truncate_are_refused(option: str) -> None:
    """Two stores whose names share the first 63 bytes would share a schema."""
    with pytest.raises(StoreError, match="over 63 bytes"):
        open_backend(f"postgresql://u@h/db?{option}={'ü' * 32}{{pair}}")
    assert address_of(f"postgresql://u@h/db?schema={'s' * 63}").schema == "s" * 63
