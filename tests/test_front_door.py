"""Bad input to ``fxloom ingest``: exit status, no traceback, every row accounted for, the rest ingested."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fxloom.bars.bars import Bars
from fxloom.bars.months import month_bounds
from fxloom.bars.synthetic import synthetic_market
from fxloom.cli import main
from fxloom.stores.folder import FolderStore
from tests.lakes import QUICK, write_bars

START = dt.datetime(2024, 1, 8, 10)
Capture = pytest.CaptureFixture[str]


def rows(count: int = 120, level: float = 1.1, start: dt.datetime = START, seed: int = 1) -> list[str]:
    """Lines of a MetaTrader export: date, time, open, high, low, close, ticks."""
    close = level * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 1e-4, count)))
    lines = []
    for i, c in enumerate(close.tolist()):
        when = start + dt.timedelta(minutes=i)
        lines.append(f"{when:%Y.%m.%d,%H:%M},{c:.5f},{c + 0.0002:.5f},{c - 0.0002:.5f},{c:.5f},{i % 7 + 1}")
    return lines


GOOD = "\n".join(rows(level=150.0)).encode()  # another pair's file, which must always be ingested


def ingest(tmp_path: Path, capture: Capture, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON report of `fxloom ingest` on the folder ``files`` with a good file added."""
    folder = tmp_path / "files"
    folder.mkdir(exist_ok=True)
    (folder / "usdjpy.csv").write_bytes(GOOD)
    status = main(["ingest", "--store", str(tmp_path / "lake"), str(folder), "--zone", "utc", "--json", *options])
    captured = capture.readouterr()
    assert "Traceback" not in captured.err
    return status, json.loads(captured.out)


def bad(report: dict[str, Any]) -> dict[str, Any]:
    """The report on the bad file."""
    (found,) = (f for f in report["files"] if not f["name"].endswith("usdjpy.csv"))
    return found


def check_store(tmp_path: Path, pairs: dict[str, int]) -> None:
    """The store holds the expected number of bars per pair, and can be read and audited."""
    store = FolderStore(tmp_path / "lake")
    assert store.find_corrupt() == []
    settings = store.settings()
    assert settings is not None
    held = {pair: len(store.read_bars(pair, -(1 << 40), 1 << 40)) for pair in settings.pairs}
    assert held == pairs
    assert main(["audit", "--store", store.url]) == 0


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurusd.csv", b"0" * (64 << 20))
    return packed.getvalue()


REFUSED: dict[str, tuple[str, bytes]] = {
    "nothing": ("eurusd.csv", b""),
    "zeros": ("eurusd.csv", bytes(500)),
    "noise": ("eurusd.csv", np.random.default_rng(7).bytes(3000)),
    "a picture": ("eurusd.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9),
    "half a parquet file": ("eurusd.parquet", b"PAR1" + b"x" * 300),
    "a zip cut short": ("eurusd.zip", bomb()[:-40]),
    "a zip bomb": ("eurusd.zip", bomb()),
    "a gzip bomb": ("eurusd.csv.gz", gzip.compress(b"0" * (64 << 20))),
    "a page instead of a file": ("eurusd.csv", b"<html><body>404, not found</body></html>"),
    "another separator": ("eurusd.csv", "\n".join(r.replace(",", "#") for r in rows()).encode()),
    "prices of another instrument": ("eurusd.csv", "\n".join(rows(level=19_000.0)).encode()),
    "only 1e308": ("eurusd.csv", "\n".join(f"{r[:17]}1e308,1e308,1e308,1e308,1" for r in rows()).encode()),
    "candles cut short": ("EURUSD_2024_01_08_10h_ticks.bi5", struct.pack(">5I", 1, 2, 3, 4, 5)[:13]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_non_data_file_is_refused_and_the_rest_ingested(case: str, tmp_path: Path, capsys: Capture) -> None:
    name, data = REFUSED[case]
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / name).write_bytes(data)
    status, report = ingest(tmp_path, capsys)
    assert (status, report["taken"], report["refused"]) == (1, 1, 1)
    assert name in bad(report)["name"]
    assert bad(report)["refused"]
    check_store(tmp_path, {"usdjpy": 120})


LINE = "2024.01.08,12:30,{},{},{},{},{}"
BROKEN = {
    "a negative price": LINE.format("1.1", "1.2", "-1", "1.1", 5),
    "a price of zero": LINE.format("0", "1.2", "0", "1.1", 5),
    "1e308": LINE.format("1e308", "1e308", "1.0", "1.1", 5),
    "an infinite price": LINE.format("1.1", "inf", "1.0", "1.1", 5),
    "no number": LINE.format("1.1", "1.2", "1.0", "n/a", 5),
    "high below low": LINE.format("1.1", "1.0", "1.2", "1.1", 5),
    "negative volume": LINE.format("1.1", "1.2", "1.0", "1.1", -5),
    "30 February": "2024.02.30,12:30,1.1,1.2,1.0,1.1,5",
    "half a row": "2024.01.08,12:30,1.1",
    "a duplicate that says otherwise": "2024.01.08,10:07,1.5,1.6,1.4,1.5,5",
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_invalid_row_is_quarantined_with_its_line(case: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "eurusd.csv").write_text("\n".join([*rows()[:60], BROKEN[case], *rows()[60:]]))
    status, report = ingest(tmp_path, capsys)
    assert status == 0
    reported = bad(report)
    assert (reported["rows"], reported["new"], reported["quarantined"]) == (121, 120, 1)
    kept = pl.read_csv(reported["quarantine"])
    assert kept["line"].to_list() == [61]
    assert kept["text"].to_list() == [BROKEN[case]]
    check_store(tmp_path, {"eurusd": 120, "usdjpy": 120})


def test_ask_below_bid_is_quarantined(tmp_path: Path, capsys: Capture) -> None:
    lines = [f"2024-01-08 10:00:{s:02d},1.1,{1.1002 if s else 1.0998}" for s in range(20)]
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "eurusd.csv").write_text("\n".join(["ts_utc,bid,ask", *lines]))
    _, report = ingest(tmp_path, capsys)
    assert bad(report)["quarantined"] == 1
    assert "ask is below bid" in bad(report)["examples"][0]
    check_store(tmp_path, {"eurusd": 1, "usdjpy": 120})


@pytest.mark.parametrize("end", ["\r\n", "\r", "mixed"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_line_ends_and_encodings(end: str, encoding: str, tmp_path: Path, capsys: Capture) -> None:
    lines = ["Date,Time,Open,High,Low,Close,Volumé", *rows()]
    joined = (
        "".join(line + ["\n", "\r\n"][i % 2] for i, line in enumerate(lines)) if end == "mixed" else end.join(lines)
    )
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "eurusd.csv").write_bytes(joined.encode(encoding))
    status, report = ingest(tmp_path, capsys)
    assert (status, bad(report)["new"]) == (0, 120)
    check_store(tmp_path, {"eurusd": 120, "usdjpy": 120})


def test_repeated_hours_when_clocks_go_back_are_reported(tmp_path: Path, capsys: Capture) -> None:
    """New York, 3 November 2024: 01:00 to 01:59 occurs twice; rows that cannot both be right are quarantined."""
    first, again = (rows(60, 1.1 + x, dt.datetime(2024, 11, 3, 1), seed) for x, seed in ((0.0, 1), (0.001, 2)))
    before = rows(60, 1.1, dt.datetime(2024, 11, 3, 0), 3)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "eurusd.csv").write_text("\n".join([*before, *first, *again]))
    status = main(["ingest", "--store", str(tmp_path / "lake"), str(tmp_path / "files"), "--zone", "America/New_York",
                   "--json"])  # fmt: skip
    (reported,) = json.loads(capsys.readouterr().out)["files"]
    assert status in (0, 1)
    if status == 0:
        assert reported["new"] + reported["identical"] + reported["quarantined"] + reported["set_aside"] == 180
    else:
        assert reported["refused"]


def test_shuffled_and_duplicated_rows(tmp_path: Path, capsys: Capture) -> None:
    order = np.random.default_rng(3).permutation(120)
    lines = [rows()[i] for i in order] + rows()[:30]
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "eurusd.csv").write_text("\n".join(lines))
    status, report = ingest(tmp_path, capsys)
    reported = bad(report)
    assert (status, reported["rows"], reported["new"], reported["identical"]) == (0, 150, 120, 30)
    check_store(tmp_path, {"eurusd": 120, "usdjpy": 120})


def test_names_with_spaces_and_quotes(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "files" / 'it\'s "my" [data] %20 &; $(x)'
    folder.mkdir(parents=True)
    (folder / "my 'EUR USD' file, (1).csv").write_text("\n".join([*rows(), "broken,row"]))
    status, report = ingest(tmp_path, capsys)
    reported = bad(report)
    assert (status, reported["pair"], reported["new"], reported["quarantined"]) == (0, "eurusd", 120, 1)
    assert Path(reported["quarantine"]).parent == tmp_path / "lake" / "quarantine"
    assert pl.read_csv(reported["quarantine"])["file"][0] == reported["name"]
    check_store(tmp_path, {"eurusd": 120, "usdjpy": 120})


def test_links_out_of_the_folder_are_refused_and_reported(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "outside.csv").write_text("\n".join(rows()))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "eurusd.csv").symlink_to(tmp_path / "outside.csv")
    status, report = ingest(tmp_path, capsys)
    assert (status, report["taken"]) == (1, 1)
    assert "leads out of the folder" in bad(report)["refused"]
    check_store(tmp_path, {"usdjpy": 120})


def test_a_file_without_read_permission(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "eurusd.csv").write_text("\n".join(rows()))
    real = Path.open

    def forbidden(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name == "eurusd.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", forbidden)
    status, report = ingest(tmp_path, capsys)
    assert (status, report["taken"], report["refused"]) == (1, 1, 1)
    assert "Permission denied" in bad(report)["refused"]


def test_an_empty_folder(tmp_path: Path, capsys: Capture) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["ingest", "--store", str(tmp_path / "lake"), str(empty)]) == 1
    assert main(["ingest", "--store", str(tmp_path / "lake"), str(tmp_path / "nowhere")]) == 1
    assert "no such file or folder" in capsys.readouterr().err
    assert main(["populate", "--store", str(tmp_path / "lake")]) == 1
    assert "fxloom ingest" in capsys.readouterr().err


# -- nearly empty stores ---------------------------------------------------------------------------------------------


def populated(tmp_path: Path, bars: dict[str, Bars], tables: str) -> tuple[int, str]:
    """Ingest, populate and audit ``bars``; the status of populate."""
    files = tmp_path / "tiny"
    files.mkdir()
    for pair, b in bars.items():
        write_bars(files / f"{pair}.parquet", b)
    url = str(tmp_path / "lake")
    assert main(["ingest", "--store", url, str(files)]) == 0
    status = main(["populate", "--store", url, "--tables", tables, "--workers", "1"])
    assert main(["audit", "--store", url, "--detail"]) == 0
    return status, url


FEW = ",".join([*QUICK, "technical_rate", "volume_features", "currency_strength"])


@pytest.mark.parametrize("count", [1, 3])
def test_months_with_three_bars_and_a_pair_with_one(count: int, tmp_path: Path, capsys: Capture) -> None:
    market = synthetic_market(dt.date(2024, 1, 29), dt.date(2024, 2, 3), ("eurusd", "gbpusd"))
    february = month_bounds("2024-02")[0]
    few = market["eurusd"].take(slice(int(np.searchsorted(market["eurusd"].ts, february)) - count, None))
    few = few.take(np.r_[0 : 2 * count])
    status, url = populated(tmp_path, {"eurusd": few, "gbpusd": market["gbpusd"]}, FEW)
    assert status == 0
    store = FolderStore(url)
    held = {(r.key.table, r.key.pair, r.key.month): r.rows for r in store.records()}
    for table in ("bollinger_rate", "technical_rate", "currency_strength"):
        assert held[table, "eurusd", "2024-01"] == held[table, "eurusd", "2024-02"] == count
    assert "eurusd\t2024-01\t" in capsys.readouterr().out


def test_a_pair_with_one_bar_alone(tmp_path: Path) -> None:
    bars = synthetic_market(dt.date(2024, 1, 29), dt.date(2024, 1, 30), ("eurusd",))["eurusd"].take(slice(0, 1))
    status, url = populated(tmp_path, {"eurusd": bars}, FEW)
    assert status == 0
    assert {r.rows for r in FolderStore(url).records()} == {1}
    main(["verify", "--store", url, "--tables", "bollinger_rate", "--workers", "1"])  # it must end, whatever it finds
    out = tmp_path / "matrix.parquet"
    assert main(["matrix", "--store", url, "--features", "bollinger_rate", "--out", str(out)]) == 0
    assert pl.read_parquet(out).height == 1


# -- anything --------------------------------------------------------------------------------------------------------

CELLS = st.one_of(
    st.sampled_from(["", "nan", "1e308", "-1", "0", "1.1", "2024.01.08", "10:07", "99:99", "EURUSD", '"', "\x00", "é"]),
    st.floats().map(str),
    st.text(max_size=6),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 119), st.lists(CELLS, min_size=1, max_size=8)), max_size=10),
    st.sampled_from([",", ";", "\t"]),
)
def test_rows_replaced_by_anything_are_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, list[str]]], separator: str
) -> None:
    root = tmp_path_factory.mktemp("anything")
    lines = rows()
    for place, cells in changes:
        lines[place] = separator.join(cells)
    (root / "eurusd.csv").write_bytes("\n".join(lines).encode("utf-8", "replace"))
    (root / "usdjpy.csv").write_bytes(GOOD)
    status = main(["ingest", "--store", str(root / "lake"), str(root / "eurusd.csv"), str(root / "usdjpy.csv"),
                   "--zone", "utc"])  # fmt: skip
    assert status in (0, 1)
    store = FolderStore(root / "lake")
    assert store.find_corrupt() == []
    assert len(store.read_bars("usdjpy", 0, 1 << 40)) == 120
    held = store.read_bars("eurusd", 0, 1 << 40)
    assert (np.diff(held.ts) > 0).all()
    assert (held.low > 0).all()
    assert np.isfinite(held.high).all()
    assert (held.high >= np.maximum(held.open, held.close)).all()
    untouched = 120 - len({place for place, _ in changes})
    if status == 0:
        assert len(held) >= untouched - 10
    assert os.listdir(root / "lake")
