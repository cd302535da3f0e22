"""Feather and Arrow IPC, and limits on their decompressed size."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.sources.formats.market import PRICES, TIMES, assert_taken
from tests.sources.vendor_files import accepted, refused

FRAME = pl.DataFrame({"ts_utc": TIMES, **dict(zip(("open", "high", "low", "close"), PRICES.T, strict=True))})


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_polars_ipc(compression: Literal["uncompressed", "lz4", "zstd"], tmp_path: Path) -> None:
    FRAME.write_ipc(tmp_path / "EURUSD.arrow", compression=compression)
    assert_taken(accepted(tmp_path / "EURUSD.arrow"), format="arrow")


def test_pandas_feather(tmp_path: Path) -> None:
    FRAME.to_pandas().to_feather(tmp_path / "EURUSD.feather")
    assert_taken(accepted(tmp_path / "EURUSD.feather"), format="arrow")


def test_a_stream_of_batches(tmp_path: Path) -> None:
    FRAME.write_ipc_stream(tmp_path / "EURUSD.arrows")
    assert_taken(accepted(tmp_path / "EURUSD.arrows"), format="arrow")


def test_dictionary_encoded_symbols(tmp_path: Path) -> None:
    frame = FRAME.to_pandas().assign(symbol=pd.Categorical(["EURUSD"] * 30))
    frame.to_feather(tmp_path / "prices.feather")
    assert_taken(accepted(tmp_path / "prices.feather"), format="arrow")


def bomb(codec: str) -> bytes:
    """Two million equal rows in a few kilobytes."""
    n = 4_000_000
    columns = {
        "ts_utc": np.zeros(n, "datetime64[us]"),
        **{name: np.ones(n) for name in ("open", "high", "low", "close")},
    }
    out = io.BytesIO()
    table = pa.table(columns)
    with pa.ipc.new_file(out, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table)
    return out.getvalue()


def test_oversized_content_is_refused_without_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bomb("zstd")
    assert len(data) < 200_000
    (tmp_path / "EURUSD.arrow").write_bytes(data)
    monkeypatch.setattr(pl, "read_ipc", lambda _: pytest.fail("the file was unfolded"))
    assert "bomb" in refused(tmp_path / "EURUSD.arrow").reason


def test_rows_of_a_null_column_are_counted(tmp_path: Path) -> None:
    """A column of type null takes no bytes, whatever its length."""
    out = io.BytesIO()
    table = pa.table(
        {
            name: pa.Array.from_buffers(pa.null(), (1 << 31) - 1, [None])
            for name in ("ts_utc", "open", "high", "low", "close")
        }
    )
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_batch(table.to_batches()[0])
    (tmp_path / "EURUSD.arrow").write_bytes(out.getvalue())
    assert "bomb" in refused(tmp_path / "EURUSD.arrow").reason


@pytest.mark.parametrize("seed", range(40))
def test_corruption_is_refused_or_harmless(seed: int, tmp_path: Path) -> None:
    FRAME.write_ipc(tmp_path / "EURUSD.arrow", compression="zstd")
    rng = np.random.default_rng(seed)
    data = bytearray((tmp_path / "EURUSD.arrow").read_bytes())
    for place in rng.integers(8, len(data), 5):
        data[place] ^= int(rng.integers(1, 256))
    (tmp_path / "EURUSD.arrow").write_bytes(bytes(data[: int(rng.integers(20, len(data)))] if seed % 2 else data))
    from fxloom.sources import read

    (outcome,) = read(tmp_path / "EURUSD.arrow")
    assert str(outcome)
