"""OANDA candles saved with their epochs: utc, open, close, high, low, volumn (sic). OANDA's default candles are mid."""

from __future__ import annotations

from dataclasses import replace

from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.text import Sample

NAME = "oanda"


def _default(sample: Sample) -> Layout | None:
    known = sample.header[:5] == ("utc", "open", "close", "high", "low")
    layout = named_layout(sample.header, sample, NAME) if known else None
    return layout and replace(layout, side="mid")


SHAPES = (_default,)
