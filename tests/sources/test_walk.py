"""Folders: price files are read, documents and programs are skipped, an empty folder is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxloom.sources import Ignored, Refused, SourceFile, read
from tests.sources.formats.market import PRICES, TIMES, ohlc
from tests.sources.vendor_files import refused, write_rows

ROWS = [f"{t:%Y-%m-%d %H:%M},{ohlc(p)}" for t, p in zip(TIMES, PRICES, strict=True)]


def test_an_empty_folder_reports_what_was_expected(tmp_path: Path) -> None:
    refusal = refused(tmp_path)
    assert refusal.reason == "an empty folder"
    assert "parquet" in refusal.advice
    assert "csv" in refusal.advice
    (tmp_path / "README.md").write_text("prices of euros")
    left_out, refusal_ = read(tmp_path)
    assert isinstance(left_out, Ignored)
    assert isinstance(refusal_, Refused)
    assert refusal_.reason == "holds no price files (1 left out)"


@pytest.mark.parametrize(
    "name",
    ["README", "README.txt", "readme.md", "LICENSE", "run.log", "script.py", "import.ipynb", "chart.png", "notes.pdf",
     "settings.yaml", "SHA256.sha256", "EA.mq5", "desktop.ini", ".DS_Store"],
)  # fmt: skip
def test_non_data_files_are_skipped(name: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "EURUSD.csv", ROWS, header="ts_utc,open,high,low,close")
    (tmp_path / name).write_bytes(b"\x89 anything \x00 at all")
    kinds = {Path(file.name).name: type(file) for file in read(tmp_path)}
    assert kinds == {"EURUSD.csv": SourceFile, name: Ignored}


def test_folders_are_walked_in_name_order(tmp_path: Path) -> None:
    for name in ("b/EURUSD.csv", "a/GBPUSD.csv", "EURGBP.csv", "a/AUDUSD.csv"):
        write_rows(tmp_path / name, ROWS, header="ts_utc,open,high,low,close")
    assert [Path(file.name).name for file in read(tmp_path)] == ["EURGBP.csv", "AUDUSD.csv", "GBPUSD.csv", "EURUSD.csv"]
