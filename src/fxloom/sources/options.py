"""The user's options for reading files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from fxloom.sources.formats import NAMES
from fxloom.sources.instrument import parse_pair
from fxloom.sources.zone import parse_zone

Stamp = Literal["auto", "open", "close"]


@dataclass(frozen=True)
class ReadOptions:
    """How to read files; the fields are the options of ``fxloom ingest`` with the same names.

    ``pair``, ``format`` (one of ``fxloom.sources.FORMAT_NAMES``) and ``zone`` ("+2", "-05:00", "Europe/Athens", "utc")
    are found in each file if they are None or "auto". ``stamp``: whether times are the bars' opens or closes; "auto"
    takes them for opens unless the file's weeks end at 17:00 and begin at 17:01 in New York. ``trust_zone`` keeps
    the zone that the file or ``zone`` names even if the file's own weeks contradict it.
    Raises ``ValueError`` on an invalid option. ``offset`` is the zone as hours from UTC or a named zone.

    >>> ReadOptions(pair="EUR/USD", zone="+2").pair
    'eurusd'
    """

    pair: str | None = None
    format: str = "auto"
    zone: str = "auto"
    stamp: Stamp = "auto"
    trust_zone: bool = False

    def __post_init__(self) -> None:
        if self.format not in ("auto", *NAMES):
            raise ValueError(f"unknown --format {self.format!r}, expected auto or one of {', '.join(NAMES)}")
        if self.stamp not in ("auto", "open", "close"):
            raise ValueError(f"unknown --stamp {self.stamp!r}, expected auto, open or close")
        object.__setattr__(self, "pair", parse_pair(self.pair))
        parse_zone(self.zone)

    @property
    def offset(self) -> float | ZoneInfo | None:
        return parse_zone(self.zone)
