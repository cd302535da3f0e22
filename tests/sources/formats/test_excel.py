"""Excel workbooks: HistData's without a header, others with one, several sheets, and decompression bombs."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xlsxwriter

from fxloom.sources import Ignored, SourceFile, read
from tests.sources.formats.market import PRICES, TIMES, assert_taken
from tests.sources.vendor_files import accepted, assert_bars, refused

VOLUME = list(map(float, range(10, 40)))


def workbook(sheets: dict[str, tuple[list[str], np.ndarray]]) -> bytes:
    """A workbook as Excel stores it: times are days since 1900, all numbers floats."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        style = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for name, (header, prices) in sheets.items():
            sheet = book.add_worksheet(name)
            if header:
                sheet.write_row(0, 0, header)
            for i, (t, p) in enumerate(zip(TIMES, prices, strict=False), start=bool(header)):
                sheet.write_datetime(i, 0, t.replace(tzinfo=None), style)
                sheet.write_row(i, 1, [*map(float, p), VOLUME[i - bool(header)]])
    return out.getvalue()


def test_zipped_histdata_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "HISTDATA_COM_XLSX_EURUSD_M12018.zip", "w") as archive:
        archive.writestr("DAT_XLSX_EURUSD_M1_2018.xlsx", workbook({"2018": ([], PRICES)}))
    file = accepted(tmp_path / "HISTDATA_COM_XLSX_EURUSD_M12018.zip", zone="utc")
    assert_taken(file, format="xlsx", volume=VOLUME)


def test_a_sheet_with_names_in_another_language(tmp_path: Path) -> None:
    header = ["Datum", "Eröffnung", "Hoch", "Tief", "Schluss", "Volumen"]
    (tmp_path / "EURUSD.xlsx").write_bytes(workbook({"Tabelle1": (header, PRICES)}))
    assert_taken(accepted(tmp_path / "EURUSD.xlsx", zone="utc"), format="xlsx", volume=VOLUME)


def test_one_pair_per_sheet(tmp_path: Path) -> None:
    header = ["ts_utc", "open", "high", "low", "close", "volume"]
    sheets = {
        "EURUSD": (header, PRICES),
        "notes": (["see", "the", "other", "sheets"], PRICES[:0]),
        "GBPUSD": (header, PRICES),
    }
    (tmp_path / "prices.xlsx").write_bytes(workbook(sheets))
    found = list(read(tmp_path / "prices.xlsx"))
    files = [file for file in found if isinstance(file, SourceFile)]
    assert [file.pair for file in files] == ["eurusd", "gbpusd"]
    for file in files:
        assert_bars(file.bars, TIMES, PRICES)
    assert [file.name.rpartition("/")[2] for file in found if isinstance(file, Ignored)] == ["prices.xlsx [notes]"]


@pytest.mark.parametrize("seconds", range(0, 60, 7))
def test_times_are_rounded_not_truncated(seconds: int, tmp_path: Path) -> None:
    """Excel's days since 1900 are not whole seconds: 10:36:07 is 0.44174768518..."""
    times = [t.replace(second=seconds) for t in TIMES]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        style = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        sheet.write_row(0, 0, ["ts_utc", "bid", "ask"])
        for i, t in enumerate(times, 1):
            days = t.replace(tzinfo=None) - t.replace(
                tzinfo=None, year=1899, month=12, day=30, hour=0, minute=0, second=0
            )
            sheet.write_number(i, 0, round(days.total_seconds() / 86_400, 10), style)
            sheet.write_row(i, 1, [1.1, 1.1002])
    (tmp_path / "EURUSD.xlsx").write_bytes(out.getvalue())
    file = accepted(tmp_path / "EURUSD.xlsx")
    np.testing.assert_array_equal(file.bars.ts, [int(t.timestamp()) // 60 for t in TIMES])


def test_a_missing_excel_reader_names_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "EURUSD.xlsx").write_bytes(workbook({"2018": ([], PRICES)}))
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    refusal = refused(tmp_path / "EURUSD.xlsx")
    assert "pip install 'fxloom[xlsx]'" in refusal.advice
    assert "csv" in refusal.advice


def rewritten(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace(old, new) if name == part else content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'r="F30"', b'r="XFD1048576"'),
        (b'r="F30"', b'r="F99999999"'),
        (b"<sheetData>", b"<sheetData>" + b"<!--" + b" " * (70 << 20) + b"-->"),
    ],
)  # fmt: skip
def test_a_workbook_that_expands_too_much(old: bytes, new: bytes, tmp_path: Path) -> None:
    data = rewritten(workbook({"2018": ([], PRICES)}), "xl/worksheets/sheet1.xml", old, new)
    (tmp_path / "EURUSD.xlsx").write_bytes(data)
    reason = refused(tmp_path / "EURUSD.xlsx", zone="utc").reason
    assert "26 columns" in reason or "bomb" in reason


@pytest.mark.parametrize("cut", [30, 300, 3000])
def test_a_corrupt_workbook(cut: int, tmp_path: Path) -> None:
    data = workbook({"2018": ([], PRICES)})
    (tmp_path / "EURUSD.xlsx").write_bytes(data[:cut] + b"\x00" * 40 + data[cut + 40 :])
    assert refused(tmp_path / "EURUSD.xlsx", zone="utc").advice


def test_an_empty_workbook(tmp_path: Path) -> None:
    (tmp_path / "EURUSD.xlsx").write_bytes(workbook({"a": ([], PRICES[:0]), "b": ([], PRICES[:0])}))
    assert "only empty sheets" in refused(tmp_path / "EURUSD.xlsx").reason
