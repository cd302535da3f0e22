"""HistData.com: generic ASCII and NinjaTrader ("20230601 000000;o;h;l;c;0"), its ticks, and its MetaTrader bars."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly
from fxloom.sources.layout import BARS, Layout
from fxloom.sources.text import Sample

NAME = "histdata"


def recognise(sample: Sample) -> Layout | None:
    if sample.header:
        return None
    first = sample.column(0)
    if mostly(r"\d{8} \d{6}", first) and sample.width in (5, 6):
        return _bars((0,), 1, sample.width)
    if mostly(r"\d{8} \d{9}", first) and sample.width in (3, 4):
        return Layout(NAME, "ticks", (0,), {"bid": 1, "ask": 2}, side="mid")
    metatrader = mostly(r"\d{4}\.\d\d\.\d\d", first) and mostly(r"\d\d:\d\d", sample.column(1)) and sample.width == 7
    if metatrader and mostly(r"\d+\.\d{6}", sample.column(2)) and mostly("0", sample.column(6)):
        return _bars((0, 1), 2, sample.width)
    return None


def _bars(time: tuple[int, ...], start: int, width: int) -> Layout:
    roles = (*BARS, "volume")[: width - start]
    return Layout(NAME, "bars", time, {role: start + place for place, role in enumerate(roles)})
