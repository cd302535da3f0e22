"""TrueFX ticks: EUR/USD,20120401 21:00:00.123,bid,ask; or with a header and times that include their offset."""

from __future__ import annotations

from fxloom.sources.formats.shape import PAIR, Columns
from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.text import Sample

NAME = "truefx"


def _headed(sample: Sample) -> Layout | None:
    headed = tuple(map(str.lower, sample.header)) == ("timestamp", "bid", "ask")
    return named_layout(sample.header, sample, NAME) if headed else None


SHAPES = (
    _headed,
    Columns(NAME, "ticks", ("symbol", "time", "bid", "ask"), {0: PAIR, 1: r"\d{8} \d\d:\d\d:\d\d\.\d+"}),
)
