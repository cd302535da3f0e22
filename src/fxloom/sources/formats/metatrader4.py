"""MetaTrader 4, from its History Center: date, time, open, high, low, close, volume, with or without header."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly
from fxloom.sources.formats.shape import CLOCK, DAY, Columns
from fxloom.sources.layout import BARS, Layout, named_layout
from fxloom.sources.text import Sample

NAME = "mt4"


def _headed(sample: Sample) -> Layout | None:
    dotted = mostly(DAY, sample.column(0)) and mostly(CLOCK, sample.column(1))
    known = sample.header and dotted and sample.width in (6, 7)
    return named_layout(sample.header, sample, NAME) if known else None


SHAPES = (_headed, Columns(NAME, "bars", ("time", "time", *BARS, "volume"), {0: DAY, 1: CLOCK}, optional=1))
