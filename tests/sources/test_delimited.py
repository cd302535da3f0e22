"""Rows of delimited text: read at once where every line is regular, line by line elsewhere, with the same result."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.sources import delimited
from fxloom.sources.delimited import parse_text
from fxloom.sources.formats.named import SHAPES
from fxloom.sources.rows import Rows
from fxloom.sources.text import decoded, sampled

HEADER = "ts_utc,open,high,low,close,volume"
GOOD = [f"2024-01-02 10:{m:02d}:00,1.1{m:02d},1.2,1.0,1.1{m:02d},{m}" for m in range(60)]


def rows_of(lines: list[str], header: str = HEADER) -> Rows:
    text = decoded("\n".join([header, *lines]).encode())
    sample = sampled(text, ("eurusd.csv",))
    layout = next(found for shape in SHAPES if (found := shape(sample)) is not None)
    return parse_text(text, sample, layout)


def assert_same(rows: Rows, others: Rows) -> None:
    np.testing.assert_array_equal(rows.local, others.local)
    np.testing.assert_array_equal(rows.fault, others.fault)
    assert rows.values.keys() == others.values.keys()
    for role, column in rows.values.items():
        np.testing.assert_array_equal(column, others.values[role])


@pytest.mark.parametrize(
    "line",
    [
        "2024-01-02 11:00:00,1.1,1.2,1.0,1.1,",
        "2024-01-02 11:00:00,,1.2,1.0,1.1,3",
        " 2024-01-02 11:00:00, 1.1,1.2 ,1.0,1.1,3",
        "2024-01-02 11:00:00,nan,inf,1e400,+1.1,3",
        "2024-01-02 11:00:00,word,1.2,1.0,1.1,3",
        "2024-01-02 11:00:00,1.1,1.2,1.0",
        "2024-01-02 11:00:00,1.1,1.2,1.0,1.1,3,4",
        "2024-01-02 11:00:00,1.1,1.2,1.0\n2024-01-02 11:01:00,1.1,1.2,1.0,1.1,3,4,5",
        ",,,,,",
        "never,1.1,1.2,1.0,1.1,3",
    ],
)
def test_both_ways_to_read_fields_agree(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [*GOOD, line, *GOOD]
    quick = rows_of(lines)
    monkeypatch.setattr(delimited, "_regular_fields", lambda *_: None)
    assert_same(quick, rows_of(lines))


def test_regular_lines_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_split_fields", lambda *_: pytest.fail("read line by line"))
    rows = rows_of(GOOD)
    assert rows.values["open"].tolist() == [float(f"1.1{m:02d}") for m in range(60)]
    assert rows.values["volume"].tolist() == list(range(60))
    assert (np.diff(rows.local) == 60_000_000).all()
    assert rows.line.tolist() == list(range(2, 62))


def test_a_cut_price_at_the_end_of_regular_lines_is_reported() -> None:
    lines = [line.rpartition(",")[0] + "00" for line in GOOD]
    rows = rows_of([*lines, lines[-1][:-3]], "ts_utc,open,high,low,close")
    assert np.flatnonzero(rows.fault).tolist() == [60]
    assert rows.reasons[rows.fault[60]] == "has too few columns or digits: truncated?"


def test_lines_of_many_blocks_keep_their_numbers_and_their_order_of_day_and_month(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the last block shows that the day comes first."""
    monkeypatch.setattr("fxloom.sources.text.BLOCK", 7)
    lines = [f"{day:02d}/01/2024 10:{m:02d},1.1,1.2,1.0,1.1,3" for day in range(1, 15) for m in range(3)]
    rows = rows_of(lines)
    assert rows.line.tolist() == list(range(2, 44))
    days = np.repeat(np.arange("2024-01-01", "2024-01-15", dtype="datetime64[D]"), 3)
    assert (rows.local.astype("datetime64[us]").astype("datetime64[D]") == days).all()
    assert rows.raw(43) == lines[-1]
