"""Results of reading a file: bars with everything noticed on the way, or a refusal with what to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields
from typing import Literal

from fxloom.bars.bars import Bars

Side = Literal["bid", "mid"]


def offset_text(hours: float) -> str:
    """An offset in the form of ``--zone``.

    >>> offset_text(2.0), offset_text(-3.5), offset_text(0.0)
    ('+2', '-3:30', '+0')
    """
    whole, minutes = divmod(round(60 * abs(hours)), 60)
    return f"{'-' if hours < 0 else '+'}{whole}" + (f":{minutes:02d}" if minutes else "")


@dataclass(frozen=True)
class OffsetPeriod:
    """Part of a file with one offset: its first and last bar (minutes since 1970, UTC); local = UTC + hours."""

    start: int
    end: int
    hours: float

    def __str__(self) -> str:
        days = (
            dt.datetime.fromtimestamp(60 * minute, dt.UTC).strftime("%Y-%m-%d") for minute in (self.start, self.end)
        )
        return f"UTC{offset_text(self.hours)} {' to '.join(days)}"


@dataclass(frozen=True)
class Zone:
    """The file's offsets from UTC in order of time, and the evidence for them."""

    offset_periods: tuple[OffsetPeriod, ...]
    why: str

    @property
    def hours(self) -> tuple[float, ...]:
        return tuple(period.hours for period in self.offset_periods)

    def __str__(self) -> str:
        return "; ".join(map(str, self.offset_periods)) + f" ({self.why})"


@dataclass(frozen=True)
class Quarantined:
    """A row that breaks a rule: its line (record number in binary files), its text, and the rule."""

    line: int
    raw: str
    reason: str


@dataclass(frozen=True)
class SourceFile:
    """One file that was accepted.

    ``bars`` are in UTC, sorted, at most one per minute; their ``volume`` and ``spread`` are None if the file has
    none. ``rows`` counts the data rows read. Of these, ``filler`` are copies of a bar throughout a weekend and are set
    aside (``filler_examples`` shows some), ``identical`` duplicate another row, and the ``quarantined`` break a rule.
    ``kind`` is "minute bars", "ticks" or "five-second bars", with ", bid" or ", bid and ask" if the file says so.
    ``digits``: the decimals of its prices. ``notes``: what else the user should know.
    """

    name: str
    format: str
    pair: str
    kind: str
    bars: Bars
    zone: Zone
    digits: int
    price_side: Side
    rows: int
    filler: int = 0
    filler_examples: tuple[str, ...] = ()
    identical: int = 0
    quarantined: tuple[Quarantined, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def has_volume(self) -> bool:
        return self.bars.volume is not None

    @property
    def has_quotes(self) -> bool:
        return self.bars.spread is not None


@dataclass(frozen=True)
class Ignored:
    """A file that is recognisably not data (a vendor's status report, a hidden file)."""

    name: str
    reason: str


@dataclass(eq=False)
class Refused(Exception):
    """A file that is not accepted: why, where (line, or 0), what to do (``advice``), and what is known about it."""

    reason: str
    advice: str = ""
    line: int = 0
    name: str = ""
    pair: str | None = None
    kind: str | None = None
    format: str | None = None
    zone: Zone | None = None
    quarantined: tuple[Quarantined, ...] = field(default=(), repr=False)

    def __reduce__(self) -> tuple[type[Refused], tuple[object, ...]]:
        return Refused, tuple(getattr(self, each.name) for each in fields(self))  # exceptions only pickle their args

    def __str__(self) -> str:
        where = f"{self.name}: " if self.name else ""
        line = f"line {self.line}: " if self.line else ""
        return f"{where}{line}{self.reason}" + (f"; {self.advice}" if self.advice else "")


FileResult = SourceFile | Refused | Ignored
