"""The bars to measure on: a month of the sample data if available, else of the synthetic market."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fxloom.api.arrays import pair_info_of
from fxloom.bars.bars import Bars
from fxloom.bars.clock import DAY
from fxloom.bars.days import summarise_days
from fxloom.bars.months import month_bounds, months_of
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.plan import StoreState, make_plan
from fxloom.features.feature import Table

DATA = Path(os.environ.get("FXLOOM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
HISTORY = 40  # days before the month: more than the longest lookback of a table


@dataclass(frozen=True, eq=False)
class Market:
    """Bars of pairs over one month and the history before it."""

    name: str
    month: str
    bars: Mapping[str, Bars]

    @property
    def first(self) -> int:
        return month_bounds(self.month)[0]

    @property
    def rows(self) -> int:
        """Observed bars in the month, of all pairs."""
        return sum(len(b.between(*month_bounds(self.month))) for b in self.bars.values())


def one_pair() -> Market:
    """EURUSD with a month of about 30,000 bars."""
    return _sample("long9", "2019-03", ["eurusd"]) or _synthetic("2024-03", ["eurusd"])


def quoted_pair() -> Market:
    """EURUSD of the synthetic market, which has ticks and quoted spreads."""
    return _synthetic("2024-03", ["eurusd"])


def all_pairs() -> Market:
    """All 28 pairs."""
    return _sample("market28", "2018-03") or _synthetic("2024-03")


def starts(market: Market, tables: Sequence[Table]) -> dict[str, int]:
    """The first minute of bars that each table reads for the month, as planned."""
    days = {
        pair: {m: summarise_days(bars.between(*month_bounds(m))) for m in months_of(bars.ts)}
        for pair, bars in market.bars.items()
    }
    infos = {pair: pair_info_of(bars) for pair, bars in market.bars.items()}
    plan = make_plan(StoreState(days, infos, "float32", {}), tables, None, (market.month, market.month))
    return {partition.key.table: partition.start for partition in plan.partitions}


def _sample(folder: str, month: str, pairs: Sequence[str] = ()) -> Market | None:
    files = [DATA / folder / f"{p}.parquet" for p in pairs] or sorted((DATA / folder).glob("*.parquet"))
    if not files or not all(f.exists() for f in files):
        return None
    first, end = month_bounds(month)
    bars = {f.stem: _read(f).between(first - HISTORY * DAY, end) for f in files}
    return Market(f"{folder}, {month}", month, bars)


def _read(path: Path) -> Bars:
    frame = pl.read_parquet(path)
    ts = frame["ts_utc"].dt.epoch("us").to_numpy() // 60_000_000
    has_volume = "volume" in frame.columns and frame["volume"].null_count() == 0
    volume = frame["volume"].cast(pl.Float64).to_numpy() if has_volume else None
    o, h, l, c = (frame[name].to_numpy() for name in ("open", "high", "low", "close"))
    return Bars(ts, o, h, l, c, volume)


def _synthetic(month: str, pairs: Sequence[str] = ()) -> Market:
    start = dt.date.fromisoformat(f"{month}-01")
    end = (start + dt.timedelta(days=31)).replace(day=1)
    begin = start - dt.timedelta(days=HISTORY)
    bars = synthetic_market(begin, end, pairs) if pairs else synthetic_market(begin, end)
    return Market(f"the synthetic market, {month}", month, bars)
