"""OANDA candles saved with their epochs: utc, open, close, high, low, volumn (sic). OANDA's default candles are mid."""

from __future__ import annotations

from dataclasses import replace

from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.text import Sample

NAME = "oanda"


def recognise(sample: Sample) -> Layout | None:
    if sample.header[:5] != ("utc", "open", "close", "high", "low"):
        return None
    layout = named_layout(sample.header, sample, NAME)
    return None if layout is None else replace(layout, side="mid")
