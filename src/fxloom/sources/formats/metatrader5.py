"""MetaTrader 5, exported from the terminal: <DATE> <TIME> <OPEN> .. <TICKVOL> <VOL> <SPREAD>, or ticks <BID> <ASK>.

The spread is in points of the last digit; the volume is TICKVOL where VOL is 0. In its ticks an empty bid or
ask says that it has not changed.
"""

from __future__ import annotations

from dataclasses import replace

from fxloom.sources.formats.matching import mostly
from fxloom.sources.layout import BARS, Layout, named_layout
from fxloom.sources.text import Sample

NAME = "mt5"


def recognise(sample: Sample) -> Layout | None:
    if any(name.startswith("<") for name in sample.header):
        layout = named_layout(sample.header, sample, NAME)
        if layout is not None:
            return replace(layout, points="spread" in layout.places, carried=layout.what == "ticks")
    dotted = mostly(r"\d{4}\.\d\d\.\d\d", sample.column(0)) and mostly(r"\d\d:\d\d(:\d\d)?", sample.column(1))
    if sample.header or not dotted or sample.width != 9:
        return None
    places = {role: 2 + place for place, role in enumerate(BARS)} | {"volume": 7, "spread": 8}
    return Layout(NAME, "bars", (0, 1), places, points=True, ticks=6)
