"""Foreign names and rows cannot send escape sequences, and a non-UTF-8 name stops nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fxloom.cli import main
from fxloom.sources import ReadOptions, SourceFile, read
from fxloom.sources.printable import printable
from tests.sources.formats.market import PRICES, TIMES, ohlc
from tests.sources.vendor_files import accepted, assert_bars, refused, write_rows

ROWS = [f"{t:%Y-%m-%d %H:%M},{ohlc(p)}" for t, p in zip(TIMES, PRICES, strict=True)]
HEADER = "ts_utc,open,high,low,close"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("EUR/USD, 始値, é\t1", "EUR/USD, 始値, é\t1"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\nb\rc", "a\\nb\\rc"),
        ("\x9b31m", "\\x9b31m"),
        ("x\u202excod", "x\\u202excod"),
        (os.fsdecode(b"caf\xe9.csv"), "caf\\xe9.csv"),
    ],
)
def test_printed_form(text: str, shown: str) -> None:
    assert printable(text) == shown
    shown.encode()


def test_a_non_utf_8_file_name_does_not_stop_the_walk(tmp_path: Path) -> None:
    text = "\n".join([HEADER, *ROWS])
    for name in (b"EURUSD caf\xe9.csv", b"EURUSD z.csv", b"bad \xff.csv"):
        with open(os.fsencode(tmp_path) + b"/" + name, "w") as file:
            file.write(text if name.startswith(b"EUR") else "nothing;")
    files = list(read(tmp_path))
    assert [Path(found.name).name for found in files] == ["EURUSD caf\\xe9.csv", "EURUSD z.csv", "bad \\xff.csv"]
    for found in files[:2]:
        assert isinstance(found, SourceFile)
        assert_bars(found.bars, TIMES, PRICES)
    assert not isinstance(files[2], SourceFile)


def test_the_command_accepts_a_non_utf_8_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    with open(os.fsencode(folder) + b"/EURUSD \xe9\x1b[2J.csv", "w") as file:
        file.write("\n".join([HEADER, *ROWS, "2018-02-20 12:00,1.1,\x1b[31m,1,1"]))
    assert main(["ingest", "--store", str(tmp_path / "lake"), str(folder)]) == 0
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "30 new" in shown.out + shown.err


def test_rows_headers_and_symbols_are_shown_without_escape_sequences(tmp_path: Path) -> None:
    rows = [*ROWS, "2018-02-20 12:00,1.1,\x1b[2J,1,1"]
    file = accepted(write_rows(tmp_path / "EURUSD.csv", rows, header=HEADER))
    assert file.quarantined[0].raw == "2018-02-20 12:00,1.1,\\x1b[2J,1,1"
    path = write_rows(tmp_path / "EURUSD 2.csv", ["1,2,3,4"] * 20, header="a\x1b[2J,b,c,d")
    assert "a\\x1b[2J" in refused(path).reason
    symbols = [f"{row},X\x1b[2J{i % 2}" for i, row in enumerate(ROWS)]
    (found,) = read(write_rows(tmp_path / "prices.csv", symbols, header=f"{HEADER},symbol"), ReadOptions())
    assert "\x1b" not in str(found)
