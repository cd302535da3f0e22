"""TrueFX ticks: EUR/USD,20120401 21:00:00.123,bid,ask; or with a header and times that carry their offset."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly
from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.text import Sample

NAME = "truefx"


def recognise(sample: Sample) -> Layout | None:
    if tuple(map(str.lower, sample.header)) == ("timestamp", "bid", "ask"):
        return named_layout(sample.header, sample, NAME)
    bare = sample.width == 4 and mostly(r"[A-Za-z]{3}/?[A-Za-z]{3}", sample.column(0))
    if sample.header or not bare or not mostly(r"\d{8} \d\d:\d\d:\d\d\.\d+", sample.column(1)):
        return None
    return Layout(NAME, "ticks", (1,), {"bid": 2, "ask": 3}, symbol=0, side="mid")
