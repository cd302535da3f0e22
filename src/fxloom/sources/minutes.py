"""Makes minute bars from a file's bars, bid and ask bars, ticks, or bars of a few seconds."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Bars, Flags, Floats, Ints
from fxloom.bars.runs import distinct, run_starts
from fxloom.sources.layout import ASK, BARS, BID, Layout
from fxloom.sources.rows import Rows
from fxloom.sources.thinning import WEIGHT
from fxloom.sources.times import MINUTE

SECOND = 1_000_000
_COARSE = {5: "five", 10: "ten", 15: "fifteen", 20: "twenty", 30: "thirty"}
_FINE = {1: "one", 2: "two", **_COARSE}


def step_of(local: Ints) -> int:
    """The usual number of seconds from one bar to the next: 60 for minute bars, even with gaps.

    ``local``: microseconds. A single bar counts as a minute bar.
    """
    times = distinct(local)
    steps = np.diff(times) // SECOND
    if not len(steps):
        return 60
    if (times % MINUTE == _commonest(times[:: max(1, len(times) // 10_000)] % MINUTE)).mean() < 0.99:
        usual = int(np.median(steps))
        return usual if usual > 90 else min(int(np.gcd.reduce(steps)) or 1, 59)
    on_grid = next((unit for unit in _GRIDS if _on_grid(times, unit)), 60)
    usual = _commonest(steps)
    if on_grid >= 300 or (on_grid > 60 and len(times) > 5):
        return usual if usual > 60 and usual % on_grid == 0 else on_grid
    coarse = usual > 60 and len(steps) > 2 and (steps == usual).mean() >= 0.5 and (steps <= 60).mean() < 0.01
    return usual if coarse else 60


_GRIDS = (86_400, 14_400, 3_600, 1_800, 900, 600, 300, 240, 180, 120)  # seconds, the coarsest first


_NTH = 17  # has no divisor in common with the grids


def _on_grid(times: Ints, seconds: int) -> bool:
    """Whether at least 99 % of ``times`` lie on one grid; every 17th cannot be below 83 % if all are not below 99 %."""
    return _share_on_grid(times[::_NTH], seconds) >= 1 - 0.01 * _NTH and _share_on_grid(times, seconds) >= 0.99


def _share_on_grid(times: Ints, seconds: int) -> float:
    places = times % (seconds * SECOND)
    return float((places == _commonest(places)).mean())


def _commonest(values: Ints) -> int:
    ordered = np.sort(values)
    starts = run_starts(ordered)
    return int(ordered[starts[np.argmax(np.diff(np.append(starts, len(ordered))))]])


def kind_of(layout: Layout, step: int, side: str | None) -> str:
    """A description of what the file holds: "minute bars, bid", "ticks", "five-second bars"."""
    if layout.kind is not None:
        return layout.kind
    if layout.are_ticks:
        return f"ticks, {side}" if side else "ticks"
    suffix = ", bid and ask" if layout.what == "quoted bars" else f", {side}" if side else ""
    return _length(step) + " bars" + suffix


def _length(step: int) -> str:
    named = {60: "minute", 3600: "hourly", 86400: "daily", 604800: "weekly"}
    if step in named:
        return named[step]
    if step < 60:
        return f"{_FINE.get(step, step)}-second"
    if step % 60:
        return f"irregular (usually {step} seconds apart)"
    if step % 3600 == 0:
        return f"{step // 3600}-hour"
    return f"{_COARSE.get(step // 60, step // 60)}-minute"


def open_minutes(micro: Ints, *, closes: bool) -> Ints:
    """The minute (since 1970) that contains each time (microseconds); for a bar's close, the minute that ends then."""
    return (micro - (1 if closes else 0)) // MINUTE


def mid_values(values: dict[str, Floats], layout: Layout) -> dict[str, Floats]:
    """Open, high, low, close, volume and spread of every row; mid prices if there are bids and asks."""
    if layout.what == "bars":
        return values
    if layout.what == "bid ticks":
        return dict.fromkeys(BARS, values["bid"]) | {"volume": _ticks(values)}
    if layout.what == "ticks":
        mid = (values["bid"] + values["ask"]) / 2
        spread = values["ask"] - values["bid"]
        return dict.fromkeys(BARS, mid) | {"volume": _ticks(values), "spread": spread}
    mids = {b: (values[bid] + values[ask]) / 2 for b, bid, ask in zip(BARS, BID, ASK, strict=True)}
    more = {"volume": values["volume"]} if "volume" in values else {}
    return mids | {"spread": values["ask_close"] - values["bid_close"]} | more


def _ticks(values: dict[str, Floats]) -> Floats:
    """How many ticks each row stands for."""
    return values[WEIGHT] if WEIGHT in values else np.ones(len(values["bid"]))


def aggregated(ts: Ints, values: dict[str, Floats]) -> tuple[Ints, dict[str, Floats]]:
    """One row per minute from rows sorted by time: first open, highest, lowest, last close and spread, total volume."""
    starts = run_starts(ts)
    ends = np.append(starts[1:], len(ts)) - 1

    def one(role: str, column: Floats) -> Floats:
        if role == "open":
            return np.asarray(column[starts])
        if role in _REDUCED:
            return np.asarray(_REDUCED[role].reduceat(column, starts))
        return np.asarray(column[ends])

    return ts[starts], {role: one(role, column) for role, column in values.items()}


_REDUCED = {"high": np.maximum, "low": np.minimum, "volume": np.add}


def one_per_minute(rows: Rows, ts: Ints) -> tuple[Rows, Flags]:
    """``rows`` (sorted by ``ts``), flagging those that contradict an earlier row of the same time.

    Also returned: which rows are exact duplicates.
    """
    fresh = np.append(True, ts[1:] != ts[:-1])
    first = np.flatnonzero(fresh)[np.cumsum(fresh) - 1]
    same = np.ones(len(ts), np.bool_)
    for column in rows.values.values():
        same &= (column == column[first]) | (np.isnan(column) & np.isnan(column[first]))
    rows = rows.flagged(~fresh & ~same, "contradicts an earlier row of the same time")
    return rows, ~fresh & same


def without_constants(values: dict[str, Floats], layout: Layout) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """``values`` without a volume that is equal in every bar, which carries no information; and notes for the user."""
    notes: tuple[str, ...] = ()
    for role in ("volume", "spread") if layout.what in ("bars", "quoted bars") else ():
        column = values.get(role)
        if column is None or len(column) < _FEWEST or not (column[0] > 0 and (column == column[0]).all()):
            continue
        if role == "volume":
            values = {name: each for name, each in values.items() if name != "volume"}
            notes += (f"its volume is {column[0]:g} in every bar: ignored",)
        else:
            notes += (f"its spread is {column[0]:g} in every bar",)
    return values, notes


_FEWEST = 10  # bars that show whether a column is constant


def bars_of(ts: Ints, values: dict[str, Floats]) -> Bars:
    """Bars from columns by role; a volume or spread that is incomplete or always 0 becomes None."""

    def known(role: str) -> Floats | None:
        column = values.get(role)
        return column if column is not None and not np.isnan(column).any() and (column > 0).any() else None

    opened, high, low, close = (np.ascontiguousarray(values[role], np.float64) for role in BARS)
    return Bars(ts.astype(np.int64), opened, high, low, close, known("volume"), known("spread"))
