"""HistData.com: generic ASCII and NinjaTrader ("20230601 000000;o;h;l;c;0"), its ticks, and its MetaTrader bars.

NinjaTrader's ticks are one file per side (T_BID, T_ASK) of times, prices and volumes.
"""

from __future__ import annotations

import re
from dataclasses import replace

from fxloom.sources.formats.shape import NUMBER, Columns
from fxloom.sources.layout import BARS, Layout
from fxloom.sources.text import Sample

NAME = "histdata"
_SECOND = r"\d{8} \d{6}"
_ONE_SIDE = Columns(NAME, "bid ticks", ("time", "bid", ""), {0: _SECOND, 1: NUMBER}, optional=1)


def _side_in_name(sample: Sample) -> Layout | None:
    side = re.search(r"_T_(BID|ASK)(?![A-Za-z])", sample.hints[0], re.IGNORECASE)
    layout = _ONE_SIDE(sample) if side else None
    return layout and replace(layout, one_side="ask" if side and side[1].lower() == "ask" else "bid")


SHAPES = (
    Columns(NAME, "bars", ("time", *BARS, "volume"), {0: _SECOND}, optional=1),
    Columns(NAME, "ticks", ("time", "bid", "ask", ""), {0: r"\d{8} \d{9}"}, optional=1),
    Columns(
        NAME, "bars", ("time", "time", *BARS, "volume"),
        {0: r"\d{4}\.\d\d\.\d\d", 1: r"\d\d:\d\d", 2: r"\d+\.\d{6}", 6: "0"},
    ),
    _side_in_name,
)  # fmt: skip
