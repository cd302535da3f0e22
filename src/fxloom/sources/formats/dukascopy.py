"""Dukascopy csv: candles (Gmt time or Local time, ..), ticks (time, Ask, Bid, AskVolume, BidVolume), bare ticks."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly, numbers
from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.layout import plain as plain_name
from fxloom.sources.text import Sample

NAME = "dukascopy"
_HEADS = ("gmttime", "localtime", "time", "timeutc", "timeeet")


def recognise(sample: Sample) -> Layout | None:
    names = [plain_name(name) for name in sample.header]
    ticks = names[1:3] in (["ask", "bid"], ["bid", "ask"]) and names[3:] != []
    candles = names[:1] in (["gmttime"], ["localtime"], ["timeeet"]) and "open" in names
    if (ticks and names[0] in _HEADS) or candles:
        return named_layout(sample.header, sample, NAME)
    return None if sample.header else _bare_ticks(sample)


def _bare_ticks(sample: Sample) -> Layout | None:
    """time with milliseconds, two quotes, two volumes; the smaller quote is the bid."""
    if sample.width != 5 or not mostly(r"[\d.]{10} \d\d:\d\d:\d\d\.\d{1,3}", sample.column(0)):
        return None
    first, second = numbers(sample.column(1)), numbers(sample.column(2))
    rising = sum(b >= a for a, b in zip(first, second, strict=False)) * 2 >= len(first)
    bid, ask = (1, 2) if rising else (2, 1)
    return Layout(NAME, "ticks", (0,), {"bid": bid, "ask": ask}, side="mid")
