"""Yahoo Finance: Datetime, Open, High, Low, Close, Adj Close, Volume."""

from __future__ import annotations

from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.layout import plain as plain_name
from fxloom.sources.text import Sample

NAME = "yahoo"


def recognise(sample: Sample) -> Layout | None:
    known = "adjclose" in map(plain_name, sample.header)
    return named_layout(sample.header, sample, NAME) if known else None
