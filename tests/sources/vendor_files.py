"""Minutes of a synthetic market with New York's trading week, and the files that vendors would write of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from fxloom.bars.bars import Bars
from fxloom.sources import ReadOptions, Refused, SourceFile, read

NEW_YORK = ZoneInfo("America/New_York")


def market_minutes(first: dt.date, weeks: int, step: int = 1) -> list[dt.datetime]:
    """Minutes (UTC) at which the market is open from the Sunday ``first`` on, every ``step``-th."""
    out: list[dt.datetime] = []
    for week in range(weeks):
        sunday = first + dt.timedelta(weeks=week)
        opens = dt.datetime.combine(sunday, dt.time(17), NEW_YORK).astimezone(dt.UTC)
        closes = dt.datetime.combine(sunday + dt.timedelta(days=5), dt.time(17), NEW_YORK).astimezone(dt.UTC)
        minutes = int((closes - opens).total_seconds()) // 60
        out += [opens + dt.timedelta(minutes=m) for m in range(0, minutes, step)]
        if (minutes - 1) % step:
            out.append(opens + dt.timedelta(minutes=minutes - 1))
    return out


def prices(n: int, level: float = 1.1, seed: int = 7) -> np.ndarray:
    """(n, 4) valid open, high, low and close to five decimals."""
    rng = np.random.default_rng(seed)
    close = np.round(level + np.cumsum(rng.integers(-3, 4, n)) * 1e-5, 5)
    opened = np.round(np.append(level, close[:-1]), 5)
    high = np.round(np.maximum(opened, close) + rng.integers(0, 3, n) * 1e-5, 5)
    low = np.round(np.minimum(opened, close) - rng.integers(0, 3, n) * 1e-5, 5)
    return np.stack([opened, high, low, close], axis=1)


def mt4(t: dt.datetime, p: np.ndarray) -> str:
    return f"{t:%Y.%m.%d},{t:%H:%M},{p[0]:.5f},{p[1]:.5f},{p[2]:.5f},{p[3]:.5f},9"


def write_rows(path: Path, rows: list[str], end: str = "\n", header: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(end.join(([header] if header else []) + rows) + end, newline="")
    return path


def accepted(path: Path, **options: str | bool) -> SourceFile:
    """Read the one file under ``path``, which must be accepted."""
    (outcome,) = read(path, ReadOptions(**options))  # type: ignore[arg-type]
    assert isinstance(outcome, SourceFile), outcome
    return outcome


def refused(path: Path, **options: str | bool) -> Refused:
    """Read the one file under ``path``, which must be refused."""
    (outcome,) = read(path, ReadOptions(**options))  # type: ignore[arg-type]
    assert isinstance(outcome, Refused), outcome
    return outcome


def minutes_of(times: list[dt.datetime]) -> np.ndarray:
    return np.array([int(t.timestamp()) // 60 for t in times])


def assert_bars(bars: Bars, times: list[dt.datetime], expected: np.ndarray) -> None:
    """The bars have exactly these times and prices."""
    np.testing.assert_array_equal(bars.ts, minutes_of(times))
    got = np.stack([bars.open, bars.high, bars.low, bars.close], axis=1)
    np.testing.assert_array_equal(got, expected)
