"""Refusals say what a file really is and what to do."""

from __future__ import annotations

import pickle
import sqlite3
from pathlib import Path

import pytest

from tests.sources.vendor_files import refused

LFS = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca2"
    b"4d17e2393\nsize 12345\n"
)
FILES: dict[str, tuple[bytes, str, str]] = {
    "a Git LFS pointer": (LFS, "EURUSD.parquet", "git lfs pull"),
    "an old Excel spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "EURUSD.xls", "xlsx"),
    "an HTML page": (b"\xef\xbb\xbf\n<!DOCTYPE html><html><body>Please log in</body></html>", "EURUSD.csv", "download"),
    "XML": (b'<?xml version="1.0"?><Workbook/>', "EURUSD.xml", "csv"),
    "a 7z archive": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "EURUSD.7z", "unpack"),
    "a RAR archive": (b"Rar!\x1a\x07\x01\x00" + bytes(100), "EURUSD.rar", "unpack"),
    "a Python pickle": (pickle.dumps({"open": [1.1] * 9}, protocol=4), "EURUSD.pkl", "Parquet"),
    "an HDF5 file": (b"\x89HDF\r\n\x1a\n" + bytes(99), "EURUSD.h5", "Parquet"),
    "a history of MetaTrader 4": (b"\x91\x01\x00\x00" + bytes(200), "EURUSD1.hst", "History Center"),
    "a Feather file of version 1": (b"FEA1" + bytes(100), "EURUSD.feather", "write it again"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(99), "EURUSD.csv", "csv"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_another_kind(kind: str, tmp_path: Path) -> None:
    data, name, advice = FILES[kind]
    (tmp_path / name).write_bytes(data)
    refusal = refused(tmp_path / name, zone="utc")
    assert kind in refusal.reason
    assert advice in refusal.advice


def test_a_database_file(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "EURUSD.db") as connection:
        connection.execute("create table m1 (t integer, o real)")
    assert "SQLite" in refused(tmp_path / "EURUSD.db").reason
