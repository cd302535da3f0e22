"""Dukascopy csv: candles (Gmt time, Local time, Time (EET)), ticks (time, Ask, Bid, ..), ticks without a header."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly, numbers
from fxloom.sources.formats.shape import Header
from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.names import plain
from fxloom.sources.text import Sample

NAME = "dukascopy"
_HEADS = ("gmttime", "localtime", "time", "timeutc", "timeeet")


def _ticks(sample: Sample) -> Layout | None:
    names = [plain(name) for name in sample.header]
    known = names[1:3] in (["ask", "bid"], ["bid", "ask"]) and names[3:] and names[0] in _HEADS
    return named_layout(sample.header, sample, NAME) if known else None


def _bare_ticks(sample: Sample) -> Layout | None:
    """Time with milliseconds, two quotes, two volumes; the smaller quote is the bid."""
    timed = sample.width == 5 and mostly(r"[\d.]{10} \d\d:\d\d:\d\d\.\d{1,3}", sample.column(0))
    if sample.header or not timed:
        return None
    first, second = numbers(sample.column(1)), numbers(sample.column(2))
    rising = sum(b >= a for a, b in zip(first, second, strict=False)) * 2 >= len(first)
    bid, ask = (1, 2) if rising else (2, 1)
    return Layout(NAME, "ticks", (0,), {"bid": bid, "ask": ask}, side="mid")


SHAPES = (_ticks, Header(NAME, ("open",), first=("gmttime", "localtime", "timeeet")), _bare_ticks)
