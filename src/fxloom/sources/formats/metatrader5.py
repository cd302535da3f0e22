"""MetaTrader 5, exported from the terminal: <DATE> <TIME> <OPEN> .. <TICKVOL> <VOL> <SPREAD>, or ticks <BID> <ASK>.

The spread is in points of the last digit; the volume is TICKVOL where VOL is 0. In ticks, an empty bid or ask
means that it did not change.
"""

from __future__ import annotations

from dataclasses import replace

from fxloom.sources.formats.shape import DOTTED_DATE, TIME, Columns
from fxloom.sources.layout import BARS, Layout, named_layout
from fxloom.sources.text import Sample

NAME = "mt5"


def _headed(sample: Sample) -> Layout | None:
    known = any(name.startswith("<") for name in sample.header)
    layout = named_layout(sample.header, sample, NAME) if known else None
    return layout and replace(layout, points="spread" in layout.places, carried=layout.what == "ticks")


_BARE = ("time", "time", *BARS, "", "volume", "spread")
SHAPES = (_headed, Columns(NAME, "bars", _BARE, {0: DOTTED_DATE, 1: TIME}, extra={"points": True, "ticks": 6}))
