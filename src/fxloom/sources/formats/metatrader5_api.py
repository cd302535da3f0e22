"""The frame of MetaTrader 5's Python package saved as csv: time (epochs of the broker's clock), tick_volume, spread."""

from __future__ import annotations

from dataclasses import replace

from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.layout import plain as plain_name
from fxloom.sources.text import Sample

NAME = "mt5 python"


def recognise(sample: Sample) -> Layout | None:
    names = {plain_name(name) for name in sample.header}
    if not {"time", "tickvolume", "spread", "realvolume"} <= names:
        return None
    layout = named_layout(sample.header, sample, NAME)
    return None if layout is None else replace(layout, points=True)
