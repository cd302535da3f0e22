"""How one file is laid out: the role of each column, the format of its times, the units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from fxloom.sources.names import REAL_VOLUMES, TICK_VOLUMES, UNNAMED, plain, role_of, time_rank, zone_in
from fxloom.sources.records import Side
from fxloom.sources.text import Sample

BARS = ("open", "high", "low", "close")
BID = tuple(f"bid_{part}" for part in BARS)
ASK = tuple(f"ask_{part}" for part in BARS)
TICKS = ("bid", "ask")
What = Literal["bars", "quoted bars", "ticks", "bid ticks"]


@dataclass(frozen=True)
class Layout:
    """What the columns of a file mean.

    ``time``: indices of the columns that make up the time; ``places``: indices of the numeric roles. ``zone``: hours
    from UTC or a named zone, as stated by the time column's name or, with ``zone_by_format``, by the format's
    documentation; None if unknown.
    ``midnight``: the time counts milliseconds from midnight of this day ("20140501"). ``points``: the spread is in
    points of the last digit. ``ticks``: place of the tick volume, used where the volume is 0. ``carried``: an empty
    quote repeats the last one. ``symbol``: place of a column that names the pair. ``one_side``: the side that the
    columns name. ``kind``: what to call its rows if their times do not show it.
    """

    format: str
    what: What
    time: tuple[int, ...]
    places: Mapping[str, int]
    zone: float | ZoneInfo | None = None
    zone_by_format: bool = False
    midnight: str | None = None
    points: bool = False
    ticks: int | None = None
    carried: bool = False
    symbol: int | None = None
    one_side: Literal["bid", "ask", "mid"] | None = None
    side: Side = "bid"
    kind: str | None = None

    @property
    def prices(self) -> tuple[str, ...]:
        """The roles that are prices."""
        return {"bars": BARS, "quoted bars": BID + ASK, "ticks": TICKS, "bid ticks": TICKS[:1]}[self.what]

    @property
    def are_ticks(self) -> bool:
        """Whether its rows are single quotes, not bars."""
        return self.what in ("ticks", "bid ticks")


_KEPT: dict[What, tuple[str, ...]] = {
    "bars": (*BARS, "volume", "spread"),
    "quoted bars": (*BID, *ASK, "volume"),
    "ticks": TICKS,
    "bid ticks": TICKS[:1],
}
DATE = r"\d{4}[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./]\d{4}|(19|20)\d{6}"
TIME_OF_DAY = r"\d{1,2}:\d\d(:\d\d([.,:]\d*)?)?|\d{1,6}"
MOMENT = rf"({DATE}).*\d:?\d\d.*|\d{{10,19}}(\.\d*)?"


def named_layout(header: tuple[str, ...], sample: Sample, format: str = "named columns") -> Layout | None:
    """The layout according to a header, None if it lacks a time or a full set of prices."""
    names = [plain(name) for name in header]
    places: dict[str, int] = {}
    for place, role in enumerate(map(role_of, header)):
        if role is not None:
            places.setdefault(role, place)
    what, one_side = _what(places)
    times = _time_places(header, sample)
    if what is None or not times:
        return None
    ticks = _tick_volume(names, places)
    if _mostly_minus_one(sample, places.get("volume")):  # Interactive Brokers has no volume for currencies
        del places["volume"]
    middle = one_side == "mid" or what in ("quoted bars", "ticks")
    return Layout(
        format, what, times, {role: place for role, place in places.items() if role in _KEPT[what]},
        zone_in(header[times[0]]) if len(times) == 1 else _first(zone_in(header[place]) for place in times),
        ticks=ticks, symbol=places.get("symbol"), one_side=one_side or _named_side(names, places, what),
        side="mid" if middle or any(name.startswith("mid") for name in names) else "bid",
    )  # fmt: skip


def _first(zones: Iterable[float | ZoneInfo | None]) -> float | ZoneInfo | None:
    return next((zone for zone in zones if zone is not None), None)


def _what(places: dict[str, int]) -> tuple[What | None, Literal["bid", "ask", "mid"] | None]:
    """The kind of prices that the names describe, and their side if any; bars or ticks of one side get plain roles."""
    if all(role in places for role in BID + ASK):
        return "quoted bars", None
    for one in (BARS, BID, ASK):
        if all(role in places for role in one):
            places.update(dict(zip(BARS, (places[role] for role in one), strict=True)))
            return "bars", None
    if all(role in places for role in TICKS):
        return "ticks", None
    if "bid" in places:
        return "bid ticks", "bid"
    if "ask" in places:
        places["bid"] = places["ask"]
        return "bid ticks", "ask"
    return None, None


def _named_side(names: list[str], places: dict[str, int], what: What) -> Literal["bid", "ask", "mid"] | None:
    """The side that the column names of plain bars state ("BidOpen")."""
    name = names[places["close"]] if what == "bars" else ""
    return next((s for s in ("bid", "ask", "mid") if name.startswith(s) or name.endswith(s)), None)


def _tick_volume(names: list[str], places: dict[str, int]) -> int | None:
    """Place of the tick volume if there is also a real volume, which then takes the volume's role."""
    ticks = next((names.index(name) for name in TICK_VOLUMES if name in names), None)
    real = next((names.index(name) for name in REAL_VOLUMES if name in names), None)
    if ticks is None or real is None:
        return None
    places["volume"] = real
    return ticks


def _mostly_minus_one(sample: Sample, place: int | None) -> bool:
    fields = sample.column(place) if place is not None else []
    return bool(fields) and all(re.fullmatch(r"-1(\.0*)?", field) for field in fields)


def _time_places(header: tuple[str, ...], sample: Sample) -> tuple[int, ...]:
    """The time column (preferably one that names its zone), or those of the date and the time of day."""
    ranked = sorted(
        (zone_in(name) is None, rank, place)
        for place, name in enumerate(header)
        if (rank := time_rank(name)) is not None
    )
    named = [place for *_, place in ranked]
    days = [place for place in named if _are(DATE, sample.column(place))]
    clocks = [place for place in named if _are(TIME_OF_DAY, sample.column(place)) and place not in days]
    moments = [place for place in named if place not in days + clocks]
    if moments or not named:
        unnamed = (place for place, name in enumerate(header) if plain(name) in UNNAMED)
        found = moments or [place for place in unnamed if _are(MOMENT, sample.column(place))]
        return tuple(found[:1])
    return (days[0], clocks[0]) if days and clocks else tuple(named[:1])


def _are(pattern: str, fields: list[str]) -> bool:
    """Whether more than half of the fields match as a whole."""
    return 2 * sum(bool(re.fullmatch(pattern, field)) for field in fields) > len(fields)
