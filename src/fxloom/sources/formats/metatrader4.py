"""MetaTrader 4, from its History Center: date, time, open, high, low, close, volume, with or without header."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly
from fxloom.sources.layout import BARS, Layout, named_layout
from fxloom.sources.text import Sample

NAME = "mt4"


def recognise(sample: Sample) -> Layout | None:
    dotted = mostly(r"\d{4}\.\d\d\.\d\d", sample.column(0)) and mostly(r"\d\d:\d\d(:\d\d)?", sample.column(1))
    if not dotted or sample.width not in (6, 7):
        return None
    if sample.header:
        return named_layout(sample.header, sample, NAME)
    roles = (*BARS, "volume")[: sample.width - 2]
    return Layout(NAME, "bars", (0, 1), {role: 2 + place for place, role in enumerate(roles)})
