"""Interactive Brokers: bars of ib_insync and ib_async, and bids and asks per second as the API's samples write them.

The API separates date and time by two spaces ("20200501  04:30:00"), may add the zone's name, and gives currencies a
volume of -1, which means none.
"""

from __future__ import annotations

from fxloom.sources.formats.shape import NUMBER, PAIR, Columns, Header

NAME = "ib"
_SECONDS = ("time", "symbol", "", "bid", "ask", "")
_PATTERNS = {0: r"\d{8}\s+\d\d:\d\d:\d\d", 1: PAIR, 2: "[A-Z_]+", 3: NUMBER, 4: NUMBER}
SHAPES = (
    Columns(NAME, "ticks", _SECONDS, _PATTERNS, optional=1, extra={"kind": "seconds"}),
    Header(NAME, ("date", "open", "high", "low", "close", "volume", "average", "barcount")),
    Header(NAME, ("date", "open", "high", "low", "close", "volume", "wap", "count")),
)
