"""Valid bars in random layouts, zones and kinds of damage: the reader returns true bars, fewer of them, or refuses.

Known bars are written the way users' files are: with any separator, time format, clock and label, and with the kinds of
damage that real files have. Every bar read is compared with the original. Excluded is only what no reader can know: a
false label on a file without a whole weekend, or a scale that (nearly) all bars share.
"""

from __future__ import annotations

import datetime as dt
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from fxloom.bars.bars import Bars, Ints
from fxloom.bars.months import minute_of
from fxloom.bars.synthetic import synthetic_market
from fxloom.sources import ReadOptions, Refused, SourceFile
from fxloom.sources.reading import read_entry
from fxloom.sources.walk import Entry
from tests.conftest import DATA, real_bars

CASES = max(100 * int(os.environ.get("FXLOOM_FAULTS") or 0), 150)
DAY, WEEK = 1440, 10_080
HANDFUL = 5  # bars
STRAYS = 0.005  # share of bars in the weekend that do not speak against a file's zone
TUESDAY, THURSDAY = 5 * DAY, 7 * DAY  # of the week that begins on Thursday, as the epoch does
MARKETS = ("synthetic eurusd", "synthetic usdjpy", "real eurusd", "real usdjpy")


@cache
def market(name: str) -> Bars:
    """The original bars: six weeks across New York's and Europe's change to summer time."""
    kind, pair = name.split()
    if kind == "real" and DATA.is_dir():
        bars = real_bars(f"market28/{pair}")  # drop the last Friday: it ends on a full hour and would look like a close
        return bars.between(int(bars.ts[0]), minute_of("2018-03-22"))
    bars = synthetic_market(dt.date(2018, 2, 20), dt.date(2018, 4, 8), [pair])[pair]
    return bars.take(bars.ts >= 0)


# -- a case ----------------------------------------------------------------------------------------------------------

CLOCKS: dict[str, ZoneInfo | float] = {
    **{f"{hours:+g}": hours for hours in (-8.0, -5.0, -3.5, 0.0, 1.0, 2.0, 3.0, 5.5, 8.0, 10.0)},
    **{name: ZoneInfo(name) for name in ("America/New_York", "Europe/London", "Europe/Athens")},
}
SPELLINGS = (
    "%Y-%m-%d %H:%M:%S", "%Y.%m.%d,%H:%M", "%Y%m%d %H%M%S", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M",
    "%Y-%m-%dT%H:%M:%S", "%b %d %Y %H:%M", "seconds", "milliseconds",
)  # fmt: skip
DAMAGES = (
    "days and months exchanged", "a bar ten times", "a bar hundredfold", "half ten times", "a stretch off", "half off",
    "lines cut", "lines doubled", "lines doubled otherwise", "separators changed", "closes", "high and low exchanged",
    "open and high exchanged", "shuffled", "strays", "filler", "junk", "lines missing", "spread in pips",
    "volume constant", "file cut", "a week shifted", "quotes", "every fifth minute", "hourly",
    "a quarter off", "a bar somewhat off",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A file to write: bars of a market from a start, a clock, a zone label, a layout, and damage."""

    market: str
    start: int
    days: int
    clock: str
    claim: str  # none; written, column, option: true labels; false ..: wrong ones
    false: str
    spelling: str
    separator: str
    header: bool
    comma: bool
    volume: bool
    spread: str
    parquet: bool
    damages: tuple[str, ...]
    seed: int


CASE = st.builds(
    Case,
    market=st.sampled_from(MARKETS),
    start=st.integers(0, 10**6),
    days=st.sampled_from([1, 2, 7, 9, 14, 21]),
    clock=st.sampled_from([*CLOCKS]),
    claim=st.sampled_from(
        ["none", "none", "written", "option", "column", "false written", "false option", "false column"]
    ),
    false=st.sampled_from([*CLOCKS]),
    spelling=st.sampled_from(SPELLINGS),
    separator=st.sampled_from([",", ";", "\t"]),
    header=st.booleans(),
    comma=st.booleans(),
    volume=st.booleans(),
    spread=st.sampled_from(["", "", "price", "points"]),
    parquet=st.sampled_from([False, False, False, True]),
    damages=st.lists(st.sampled_from(DAMAGES), max_size=2, unique=True).map(tuple),
    seed=st.integers(0, 2**32 - 1),
)


def truth_of(case: Case) -> Bars:
    """Bars between a Tuesday, Wednesday or Thursday and another, so that a cut does not look like a weekly edge."""
    bars = market(case.market)
    first, last = int(bars.ts[0]), int(bars.ts[-1])
    start = first + case.start % max(last - first - case.days * DAY, 1)
    if not TUESDAY <= start % WEEK < THURSDAY:
        start += TUESDAY + (start % DAY) // 2 - start % WEEK
    end = start + case.days * DAY
    if not TUESDAY <= end % WEEK < THURSDAY:
        end += THURSDAY - 60 - (end % DAY) // 2 - end % WEEK + (WEEK if end % WEEK > THURSDAY else 0)
    bars = bars.between(start, max(end, start + 600))
    return bars.take(_kept(bars.ts))


def weekends_in(minutes: Ints) -> Ints:
    """The positions of the last bars before each Saturday noon."""
    return np.flatnonzero(np.diff((minutes - 2 * DAY - DAY // 2) // WEEK))


def _kept(ts: Ints) -> np.ndarray:
    """The bars within eight hours of a weekend or an end: the days between only add running time."""
    if not len(ts):
        return np.zeros(0, np.bool_)
    weekends = weekends_in(ts)
    marks = np.concatenate([ts[:1], ts[weekends], ts[weekends + 1], ts[-1:]])
    return np.asarray((np.abs(ts[:, None] - marks) < 480).any(axis=1))


def local_minutes(ts: Ints, clock: ZoneInfo | float) -> Ints:
    """``ts`` in local minutes of ``clock``."""
    if isinstance(clock, float):
        return ts + round(60 * clock)
    days = np.unique(ts // 60)
    offsets = [dt.datetime.fromtimestamp(int(hour) * 3600, clock).utcoffset() for hour in days]
    minutes = np.array([int(offset.total_seconds()) // 60 for offset in offsets if offset is not None])
    return ts + minutes[np.searchsorted(days, ts // 60)]


# -- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Rows to write: local minutes, the true offset of each in minutes, and the columns."""

    local: Ints
    offset: Ints
    columns: dict[str, np.ndarray]

    def take(self, rows: np.ndarray) -> Table:
        return Table(self.local[rows], self.offset[rows], {name: c[rows] for name, c in self.columns.items()})


def table_of(case: Case, bars: Bars) -> Table:
    digits = 3 if case.market.endswith("jpy") else 5
    columns = {name: np.round(getattr(bars, name), digits) for name in ("open", "high", "low", "close")}
    if "quotes" in case.damages:
        quoted = {f"bid_{name}": c for name, c in columns.items()}
        columns = quoted | {f"ask_{name}": np.round(c + 2 * 10.0**-digits, digits) for name, c in columns.items()}
    if case.volume and bars.volume is not None:
        columns["volume"] = np.full(len(bars), 7.0) if "volume constant" in case.damages else bars.volume
    if case.spread and "quotes" not in case.damages:
        points = 1 + np.arange(len(bars)) % 17
        columns["spread"] = np.round(points * 10.0**-digits, digits) if case.spread == "price" else points
        if "spread in pips" in case.damages:
            columns["spread"] = points / 10
    local = local_minutes(bars.ts, 0.0 if case.claim == "column" else CLOCKS[case.clock])
    return Table(local, local - bars.ts, columns)


def spelled(case: Case, table: Table) -> tuple[list[str], list[list[str]]]:
    """Names and text values of the time columns."""
    moments = pl.Series(table.local * 60_000_000).cast(pl.Datetime("us"))
    name = "ts_utc" if case.claim.endswith("column") else "time"
    if case.spelling in ("seconds", "milliseconds"):
        return [name], [[str(m * (60 if case.spelling == "seconds" else 60_000)) for m in table.local.tolist()]]
    if case.claim.endswith("written"):
        shown = table.offset if case.claim == "written" else _false_offsets(case, table)
        ends = [f"{'-' if o < 0 else '+'}{abs(o) // 60:02d}:{abs(o) % 60:02d}" for o in shown.tolist()]
        return [name], [[f"{t}{e}" for t, e in zip(moments.dt.strftime("%Y-%m-%d %H:%M:%S"), ends, strict=True)]]
    parts = case.spelling.split(",")
    texts = [moments.dt.strftime(part).to_list() for part in parts]
    if "days and months exchanged" in case.damages and parts[0].startswith("%Y"):
        swapped = parts[0].replace("%m", "%%").replace("%d", "%m").replace("%%", "%d")
        other = moments.dt.strftime(swapped).to_list()
        texts[0] = [b if day <= 12 else a for a, b, day in zip(texts[0], other, moments.dt.day(), strict=True)]
    return ["date", "time"] if len(parts) == 2 else [name], texts


def _false_offsets(case: Case, table: Table) -> Ints:
    false = CLOCKS[case.false]
    return local_minutes(table.local - table.offset, false) - (table.local - table.offset)


NAMES = {"bid_open": "BidOpen", "bid_high": "BidHigh", "bid_low": "BidLow", "bid_close": "BidClose",
         "ask_open": "AskOpen", "ask_high": "AskHigh", "ask_low": "AskLow", "ask_close": "AskClose"}  # fmt: skip


def written(case: Case, table: Table) -> bytes:
    """The file's lines before they are damaged."""
    names, times = spelled(case, table)
    digits = 3 if case.market.endswith("jpy") else 5
    texts = [*times]
    for name, column in table.columns.items():
        names.append(NAMES.get(name, name.title()))
        whole = name == "volume" or (
            name == "spread" and case.spread == "points" and "spread in pips" not in case.damages
        )
        plain = [f"{v:.0f}" if whole else f"{v:.{digits}f}" for v in column.tolist()]
        if name == "spread" and "spread in pips" in case.damages:
            plain = [f"{v:.1f}" for v in column.tolist()]
        texts.append([t.replace(".", ",") for t in plain] if case.comma and case.separator != "," else plain)
    separator = case.separator
    header = case.header or len(table.columns) > 5 or "spread" in table.columns or case.claim.endswith("column")
    lines = [separator.join(names)] if header else []
    lines += [separator.join(row) for row in zip(*texts, strict=True)]
    return ("\n".join(lines) + "\n").encode()


def parquet(case: Case, table: Table) -> bytes:
    moments = pl.Series(table.local * 60_000_000).cast(pl.Datetime("us"))
    if case.claim.endswith("column"):
        moments = moments.dt.replace_time_zone("UTC")
    out = io.BytesIO()
    pl.DataFrame({"time": moments, **table.columns}).write_parquet(out)
    return out.getvalue()


# -- damage ----------------------------------------------------------------------------------------------------------

RowDamage = Callable[[Table, np.random.Generator], Table]
LineDamage = Callable[[list[str], np.random.Generator, str], list[str]]


def scaled(table: Table, rows: int | slice, factor: float) -> Table:
    columns = {n: c.astype(np.float64) for n, c in table.columns.items()}
    for name, column in columns.items():
        if name not in ("volume", "spread"):
            column[rows] = np.round(column[rows] * factor, 6)
    return replace(table, columns=columns)


def exchanged(table: Table, one: str, two: str) -> Table:
    if one not in table.columns:
        return table
    return replace(table, columns={**table.columns, one: table.columns[two], two: table.columns[one]})


def some(table: Table | list[str], rng: np.random.Generator, share: float = 0.01) -> np.ndarray:
    n = len(table.local) if isinstance(table, Table) else len(table)
    return np.unique(rng.integers(0, n, max(1, int(share * n))))


def _stretch(table: Table, rng: np.random.Generator) -> Table:
    first = int(rng.integers(len(table.local)))
    return scaled(table, slice(first, first + int(rng.integers(1, 4))), float(rng.choice([1.2, 1.5, 0.7, 3.0])))


def _somewhat(table: Table, rng: np.random.Generator) -> Table:
    """A bar between two others, two to nine per cent off."""
    minutes = np.sort(table.local)
    inner = minutes[1:-1][(np.diff(minutes)[1:] <= 2) & (np.diff(minutes)[:-1] <= 2)]
    if not len(inner):
        return table
    row = int(np.flatnonzero(table.local == rng.choice(inner))[0])
    return scaled(table, row, float(rng.choice([1.02, 1.05, 1.09, 0.98, 0.95])))


def _strays(table: Table, rng: np.random.Generator) -> Table:
    """Add copies of a few bars on a Saturday."""
    rows = rng.integers(0, len(table.local), max(1, len(table.local) // 500))
    strays = table.take(rows)
    utc = strays.local - strays.offset
    moved = utc - utc % WEEK + 2 * DAY + rng.integers(60, DAY, len(rows))
    strays = replace(strays, local=moved + strays.offset)
    return _joined([table, strays])


def _filler(table: Table, _rng: np.random.Generator) -> Table:
    """Repeat the last bar of each week through its weekend."""
    table = table.take(np.argsort(table.local, kind="stable"))
    parts = [table]
    for row in weekends_in(table.local):
        minutes = np.arange(table.local[row] + 1, table.local[row + 1])
        copies = table.take(np.full(len(minutes), row))
        parts.append(replace(copies, local=minutes))
    return _joined(parts)


def _joined(parts: list[Table]) -> Table:
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    whole = Table(np.concatenate([p.local for p in parts]), np.concatenate([p.offset for p in parts]), columns)
    return whole.take(np.argsort(whole.local, kind="stable"))


def _week_shifted(table: Table, rng: np.random.Generator) -> Table:
    """From some weekend on the clock is one or two hours ahead, as after a server move.

    At least a whole week lies before and after it: in part of a week, one edge or a gap there would decide alone.
    """
    weekends = weekends_in(table.local)[1:-1]
    if not len(weekends):
        return table
    late = np.arange(len(table.local)) > rng.choice(weekends)
    return replace(table, local=table.local + np.where(late, 60 * int(rng.integers(1, 3)), 0))


def _every(minutes: int) -> RowDamage:
    """Bars of several minutes, stamped with the first minute; their prices are no longer those of that minute."""
    return lambda table, _rng: _coarser(table, minutes)


def _coarser(table: Table, minutes: int) -> Table:
    group = table.local // minutes
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    last = np.append(first[1:], len(group)) - 1
    columns = {
        name: np.maximum.reduceat(c, first) if name.endswith("high") else np.minimum.reduceat(c, first)
        if name.endswith("low") else c[last] if name.endswith("close") else c[first]
        for name, c in table.columns.items()
    }  # fmt: skip
    return Table(group[first] * minutes, table.offset[first], columns)


ROWS: dict[str, RowDamage] = {
    "a bar ten times": lambda t, rng: scaled(t, int(rng.integers(len(t.local))), float(rng.choice([10.0, 0.1]))),
    "a bar hundredfold": lambda t, rng: scaled(t, int(rng.integers(len(t.local))), float(rng.choice([100.0, 0.01]))),
    "half ten times": lambda t, rng: scaled(t, slice(int(rng.integers(len(t.local))), None), 10.0),
    "half off": lambda t, rng: scaled(t, slice(int(rng.integers(len(t.local))), None), float(rng.choice([1.5, 0.6]))),
    "a stretch off": _stretch,
    "a bar somewhat off": _somewhat,
    "high and low exchanged": lambda t, _rng: exchanged(t, "high", "low"),
    "open and high exchanged": lambda t, _rng: exchanged(t, "open", "high"),
    "closes": lambda t, _rng: replace(t, local=t.local + 1),
    "shuffled": lambda t, rng: t.take(rng.permutation(len(t.local))),
    "strays": _strays,
    "filler": _filler,
    "a week shifted": _week_shifted,
    "a quarter off": lambda t, rng: replace(t, local=t.local + int(rng.choice([-30, -15, 15, 30]))),
    "every fifth minute": _every(5),
    "hourly": _every(60),
}


def _cut(lines: list[str], rng: np.random.Generator, _separator: str) -> list[str]:
    out = list(lines)
    for at in some(lines, rng).tolist():
        out[at] = out[at][: int(rng.integers(len(out[at])))]
    return out


def _doubled(lines: list[str], rng: np.random.Generator, _separator: str) -> list[str]:
    again = set(some(lines, rng, 0.05).tolist())
    return [line for i, line in enumerate(lines) for line in [line] * (2 if i in again else 1)]


def _doubled_otherwise(lines: list[str], rng: np.random.Generator, separator: str) -> list[str]:
    """Add rows that contradict earlier rows of the same time."""
    out = list(lines)
    for at in some(lines, rng).tolist():
        fields = lines[at].split(separator)
        out.append(separator.join([*fields[:-1], lines[at // 2].split(separator)[-1]]))
    return out


def _separators(lines: list[str], rng: np.random.Generator, separator: str) -> list[str]:
    out = list(lines)
    for at in some(lines, rng).tolist():
        out[at] = out[at].replace(separator, str(rng.choice([" ", "|", ";", ","])))
    return out


def _junk(lines: list[str], rng: np.random.Generator, _separator: str) -> list[str]:
    out = list(lines)
    for at in some(lines, rng).tolist():
        place = int(rng.integers(len(out[at]) + 1))
        out[at] = out[at][:place] + str(rng.choice(["x", "#", " ", "nan", "--", "\x7f"])) + out[at][place:]
    return out


def _missing(lines: list[str], rng: np.random.Generator, _separator: str) -> list[str]:
    gone = set(some(lines, rng, 0.1).tolist())
    return [line for i, line in enumerate(lines) if i not in gone]


LINES: dict[str, LineDamage] = {
    "lines cut": _cut, "lines doubled": _doubled, "lines doubled otherwise": _doubled_otherwise,
    "separators changed": _separators, "junk": _junk, "lines missing": _missing,
}  # fmt: skip


def damaged(case: Case, table: Table, rng: np.random.Generator) -> Table:
    for damage in case.damages:
        table = ROWS[damage](table, rng) if damage in ROWS else table
    return table


def file_of(case: Case, table: Table) -> bytes:
    rng = np.random.default_rng(case.seed)
    table = damaged(case, table, rng)
    if case.parquet:
        return parquet(case, table)
    data = written(case, table)
    lines = data.decode().split("\n")[:-1]
    for damage in case.damages:
        if damage in LINES:
            lines = lines[:1] + LINES[damage](lines[1:], rng, case.separator)
    data = ("\n".join(lines) + "\n").encode()
    return data[: int(rng.integers(len(data) // 2, len(data)))] if "file cut" in case.damages else data


# -- judging ---------------------------------------------------------------------------------------------------------


def knowable(case: Case, truth: Bars) -> bool:
    """Whether a reader can detect that the file's times are wrong."""
    weekends = weekends_in(truth.ts)
    damages = {*case.damages}
    if damages & {"half off", "half ten times"} and _rightly_scaled(case, truth) <= max(HANDFUL, 0.05 * len(truth)):
        return False  # with (nearly) all bars on one false scale, the few others are taken for the wrong ones
    if "a quarter off" in damages and (len(weekends) < 2 or len(damages) > 1 or case.claim.startswith("false")):
        return False  # two weeks on one clock show it
    if "closes" in damages and (len(weekends) < 3 or case.market.startswith("real")):
        return False  # the real market lacks the first hours of the week
    if "filler" in damages and damages & {
        "lines missing",
        "lines cut",
        "junk",
        "separators changed",
        "lines doubled otherwise",
    }:
        return False  # if a week's last bar is missing, its first copy takes its place
    if "lines doubled otherwise" in damages and damages & {*LINES, "file cut"} != {"lines doubled otherwise"}:
        return False  # if the first of two is unreadable, only the other remains
    if case.claim.startswith("false"):
        false = 0.0 if case.claim == "false column" else CLOCKS[case.false]
        utc = truth.ts
        if case.claim != "false written":  # local times interpreted on another clock
            local = local_minutes(utc, CLOCKS[case.clock])
            moved = (
                local - local_minutes(utc, false) if isinstance(false, ZoneInfo) else local - utc - round(60 * false)
            )
        else:
            moved = local_minutes(utc, CLOCKS[case.clock]) - local_minutes(utc, false)
        if moved.any():
            if "a week shifted" in damages:
                return False  # the label is false by another amount after the shift, which one edge alone may show
            if damages & {"file cut", "half ten times"}:
                return False  # the remaining rows may end before the first weekend
            if len(weekends) < 2 and _share_in_weekend(utc + moved) <= STRAYS:
                return False  # so few bars around a single weekend are strays
            return len(moved[weekends]) > 0 and _crossed(truth.ts, moved, weekends) >= 30
    # A label that became false after a shift shows at only one edge, which a gap can hide.
    return "a week shifted" not in damages or (case.claim == "none" and "file cut" not in damages)


def _rightly_scaled(case: Case, truth: Bars) -> int:
    """How many of the rows, as damaged, have a close of the size of the true one."""
    table = damaged(case, table_of(case, truth), np.random.default_rng(case.seed))
    close = table.columns["bid_close" if "quotes" in case.damages else "close"].astype(np.float64)
    places = np.searchsorted(truth.ts, table.local - table.offset).clip(0, len(truth) - 1)
    return int((np.abs(close / truth.close[places] - 1) < 0.1).sum())


def _share_in_weekend(utc: Ints) -> float:
    """The share of bars between Friday and Sunday 17:00 in New York."""
    of_week = local_minutes(utc, ZoneInfo("America/New_York")) % (7 * 1440)  # 1970-01-01 was a Thursday
    return float(((of_week >= 1440 + 17 * 60) & (of_week < 3 * 1440 + 17 * 60)).mean())


def _crossed(utc: Ints, moved: Ints, weekends: Ints) -> int:
    """The largest number of minutes by which a moved weekly edge crosses New York's Friday or Sunday 17:00."""
    most = 0
    for place in weekends.tolist():
        middle = dt.datetime.fromtimestamp(60 * int(utc[place] + utc[place + 1]) // 2, ZoneInfo("America/New_York"))
        saturday = middle.date() + dt.timedelta(days=5 - middle.weekday())
        closes, opens = (
            minute_of(dt.datetime.combine(saturday + dt.timedelta(days=d), dt.time(17), ZoneInfo("America/New_York")))
            for d in (-1, 1)
        )
        most = max(most, int(utc[place] + moved[place] - closes), int(opens - utc[place + 1] - moved[place + 1]))
    return most


def options_of(case: Case) -> ReadOptions:
    zone = {"option": case.clock, "false option": case.false}.get(case.claim, "auto")
    return ReadOptions(pair=case.market.split()[1], zone=zone.replace("+0", "utc") if zone == "+0" else _hours(zone))


def _hours(zone: str) -> str:
    return zone.replace(".5", ":30")


def outcome_of(case: Case, truth: Bars) -> SourceFile | Refused:
    data = file_of(case, table_of(case, truth))
    name = f"x.{'parquet' if case.parquet else 'csv'}"
    (found,) = read_entry(Entry(name, (name,), lambda: data), options_of(case))
    assert isinstance(found, SourceFile | Refused), found
    return found


def wrong_bars(case: Case, found: SourceFile, truth: Bars) -> Iterator[str]:
    """Bars read that differ from the original."""
    digits = 3 if case.market.endswith("jpy") else 5
    bars, shift = found.bars, 10.0**-digits if "quotes" in case.damages else 0.0
    places = np.searchsorted(truth.ts, bars.ts).clip(0, len(truth) - 1)
    known = truth.ts[places] == bars.ts
    if not known.all():
        yield f"{int((~known).sum())} of {len(bars)} bars at times that have none"
    for name in ("open", "high", "low", "close"):
        off = np.abs(getattr(bars, name) - np.round(getattr(truth, name), digits)[places] - shift) > 1e-9
        if (off & known).any():
            yield f"{int((off & known).sum())} of {len(bars)} false {name}s"
    if bars.volume is not None and truth.volume is not None and not {"file cut", "lines cut"} & {*case.damages}:
        off = bars.volume != truth.volume[places]
        if (off & known).any():
            yield f"{int((off & known).sum())} false volumes"


SEEN: Counter[str] = Counter()


@settings(
    max_examples=CASES, derandomize="FXLOOM_FAULTS" not in os.environ, deadline=None, database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(CASE)
def test_accepted_bars_are_true(case: Case) -> None:
    truth = truth_of(case)
    assume(len(truth) > 30)
    found = outcome_of(case, truth)
    if not knowable(case, truth):
        SEEN["unknowable"] += 1
        return
    SEEN["refused" if isinstance(found, Refused) else "taken"] += 1
    if isinstance(found, SourceFile):
        SEEN["bars"] += len(found.bars)
        SEEN["quarantined"] += len(found.quarantined)
        assert not [*wrong_bars(case, found, truth)]


def test_undamaged_files_are_accepted_in_full() -> None:
    """Undamaged whole weeks are accepted in every layout: refusing everything must not pass."""
    for spelling in SPELLINGS:
        for separator in (",", ";", "\t"):
            case = Case(
                "synthetic eurusd", 0, 14, "+2", "none", "+2", spelling, separator, True, False, True, "", False, (), 1
            )
            truth = truth_of(case)
            found = outcome_of(case, truth)
            assert isinstance(found, SourceFile), (spelling, separator, found)
            assert len(found.bars) == len(truth)
            assert not [*wrong_bars(case, found, truth)]


@pytest.fixture(scope="module", autouse=True)
def _counts() -> Iterator[None]:
    yield
    print("\nimporter fuzz:", ", ".join(f"{n:,} {what}" for what, n in SEEN.items()))
