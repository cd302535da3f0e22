"""Kraken's OHLCVT archive: seconds since 1970 (UTC), open, high, low, close, volume, trades, without a header."""

from __future__ import annotations

from fxloom.sources.formats.shape import NUMBER, Columns
from fxloom.sources.layout import BARS

NAME = "kraken"
_ROLES = ("time", *BARS, "volume", "")
_PATTERNS = {0: r"\d{10}", **dict.fromkeys(range(1, 6), NUMBER), 6: r"\d+"}
SHAPES = (Columns(NAME, "bars", _ROLES, _PATTERNS, extra={"zone": 0.0, "zone_by_format": True}),)
