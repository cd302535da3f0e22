"""MetaTrader 4, from its History Center: date, time, open, high, low, close, volume, with or without header."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly
from fxloom.sources.formats.shape import DOTTED_DATE, TIME, Columns
from fxloom.sources.layout import BARS, Layout, named_layout
from fxloom.sources.text import Sample

NAME = "mt4"


def _headed(sample: Sample) -> Layout | None:
    dotted = mostly(DOTTED_DATE, sample.column(0)) and mostly(TIME, sample.column(1))
    known = sample.header and dotted and sample.width in (6, 7)
    return named_layout(sample.header, sample, NAME) if known else None


SHAPES = (_headed, Columns(NAME, "bars", ("time", "time", *BARS, "volume"), {0: DOTTED_DATE, 1: TIME}, optional=1))
