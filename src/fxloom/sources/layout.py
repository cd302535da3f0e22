"""How one file is laid out: which column plays which role, how its time is written, in which units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from fxloom.sources.records import Side
from fxloom.sources.text import Sample

BARS = ("open", "high", "low", "close")
BID = tuple(f"bid_{part}" for part in BARS)
ASK = tuple(f"ask_{part}" for part in BARS)
TICKS = ("bid", "ask")
What = Literal["bars", "quoted bars", "ticks", "bid ticks"]


@dataclass(frozen=True)
class Layout:
    """``time`` are the places of the column or columns that make the time; ``places`` of the roles of numbers.

    ``zone``: hours from UTC, or the named zone, that the format or the time column's name states, else None.
    ``midnight``: the time counts milliseconds from midnight of this day ("20140501"). ``points``: the spread is in
    points of the last digit. ``ticks``: place of the tick volume, used where the volume is 0. ``carried``: an empty
    quote repeats the last one. ``symbol``: place of a column that names the pair. ``one_side``: the side that the
    columns name.
    """

    format: str
    what: What
    time: tuple[int, ...]
    places: Mapping[str, int]
    zone: float | ZoneInfo | None = None
    midnight: str | None = None
    points: bool = False
    ticks: int | None = None
    carried: bool = False
    symbol: int | None = None
    one_side: Literal["bid", "ask", "mid"] | None = None
    side: Side = "bid"

    @property
    def prices(self) -> tuple[str, ...]:
        """The roles that are prices."""
        return {"bars": BARS, "quoted bars": BID + ASK, "ticks": TICKS, "bid ticks": TICKS[:1]}[self.what]

    @property
    def are_ticks(self) -> bool:
        """Whether its rows are single quotes rather than bars."""
        return self.what in ("ticks", "bid ticks")


_TIMES = ("timestamp", "datetime", "ts", "opentime", "localtime", "bartime", "time", "date", "dtyyyymmdd", "unixtime",
          "unix", "epoch", "index", "day", "")  # fmt: skip
_NAMES = {
    "open": ("open", "o", "openprice", "first", "mido", "midopen", "openmid"),
    "high": ("high", "h", "highprice", "max", "midh", "midhigh", "highmid"),
    "low": ("low", "l", "lowprice", "min", "midl", "midlow", "lowmid"),
    "close": ("close", "c", "closeprice", "last", "midc", "midclose", "closemid"),
    "bid": ("bid", "bidprice", "b", "bidpx"),
    "ask": ("ask", "askprice", "a", "offer", "askpx"),
    "volume": ("volume", "vol", "volumn", "v", "realvolume", "tickvolume", "tickvol", "tickqty", "ticks"),
    "spread": ("spread",),
    "symbol": ("symbol", "pair", "ticker", "instrument", "currencypair"),
}
_PARTS = {"open": ("open", "o"), "high": ("high", "h"), "low": ("low", "l"), "close": ("close", "c")}
for _side in TICKS:
    for _part, _short in _PARTS.items():
        _NAMES[f"{_side}_{_part}"] = tuple(n for s in _short for n in (_side + s, s + _side, _side[0] + s))
_ROLES = {name: role for role, names in reversed(_NAMES.items()) for name in names}
_TICK_VOLUMES = ("tickvol", "tickvolume")


def plain(name: str) -> str:
    """A column's name without case and punctuation: "Gmt time" is "gmttime", "<TICKVOL>" "tickvol"."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def promised_offset(name: str) -> float | None:
    """The offset that a column's name promises: 0 for "ts_utc" or "Gmt time", 2 for "time (UTC+2)", else None."""
    found = re.search(
        r"(?<![a-z])(?:utc|gmt)(?![a-z])\s*(?:([+-]\d{1,2})(?::?([0-5]\d))?)?", name.lower().replace("_", " ")
    )
    if not found:
        return None
    hours = float(found[1] or 0)
    return hours + (-1 if hours < 0 else 1) * float(found[2] or 0) / 60


def _time_name(name: str) -> str:
    return plain(re.sub(r"(?i)(utc|gmt)(\s*[+-]\d+(:?\d\d)?)?", "", name))


def named_layout(header: tuple[str, ...], sample: Sample | None = None, format: str = "named columns") -> Layout | None:
    """The layout that a header tells, None if it names no time or no full set of prices."""
    names = [plain(name) for name in header]
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in _ROLES:
            places.setdefault(_ROLES[name], place)
    what = _what(places)
    times = _time_places(header, sample)
    if what is None or not times:
        return None
    ticks = next((names.index(n) for n in _TICK_VOLUMES if n in names), None)
    if ticks is not None and places.get("volume") == ticks:
        real = next((names.index(n) for n in ("vol", "volume", "realvolume") if n in names), None)
        places, ticks = ({**places, "volume": real}, ticks) if real is not None else (places, None)
    kept = {role: place for role, place in places.items() if role in _KEPT[what]}
    return Layout(
        format, what, times, kept, promised_offset(header[times[0]]), ticks=ticks,
        symbol=places.get("symbol"), one_side=_one_side(names, places) if what == "bars" else None,
        side="mid" if what != "bars" or any(n.startswith("mid") for n in names) else "bid",
    )  # fmt: skip


_KEPT: dict[What, tuple[str, ...]] = {
    "bars": (*BARS, "volume", "spread"),
    "quoted bars": (*BID, *ASK, "volume"),
    "ticks": TICKS,
    "bid ticks": TICKS[:1],
}


def _what(places: dict[str, int]) -> What | None:
    """What the named prices make; bars of one side only are made plain bars."""
    if all(role in places for role in BID + ASK):
        return "quoted bars"
    for one in (BARS, BID, ASK):
        if all(role in places for role in one):
            places.update(dict(zip(BARS, (places[role] for role in one), strict=True)))
            return "bars"
    return "ticks" if all(role in places for role in TICKS) else None


def _one_side(names: list[str], places: dict[str, int]) -> Literal["bid", "ask", "mid"] | None:
    name = names[places["close"]]
    return next((s for s in ("bid", "ask", "mid") if name.startswith(s) or name.endswith(s)), None)


def _time_places(header: tuple[str, ...], sample: Sample | None) -> tuple[int, ...]:
    """The column of the time (one that names UTC first), or those of date and time of day."""
    ranked = sorted(
        (promised_offset(name) is None, _TIMES.index(_time_name(name)), place)
        for place, name in enumerate(header)
        if _time_name(name) in _TIMES and (_time_name(name) or promised_offset(name) is not None)
    )
    names = {_TIMES[rank]: place for _, rank, place in reversed(ranked)}
    day = names.get("date", names.get("dtyyyymmdd"))
    if day is not None and "time" in names and sample is not None and _needs_day(sample.column(names["time"])):
        return (day, names["time"])
    return tuple(place for *_, place in ranked[:1])


def _needs_day(times: list[str]) -> bool:
    """Whether these are times of day: "17:00", "17:00:05.1", "170000", "0"."""
    return sum(bool(re.fullmatch(r"\d{1,2}:\d\d(:\d\d(\.\d*)?)?|\d{1,6}", t)) for t in times) * 2 > len(times)
