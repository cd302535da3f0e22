"""GAIN Capital's archive of ticks: id, pair, time, bid, ask, D; later id, D, pair, time, bid, ask. In New York time."""

from __future__ import annotations

from fxloom.sources.formats.matching import TIME
from fxloom.sources.formats.shape import PAIR, Columns, Header

NAME = "gain"
SHAPES = (
    Columns(NAME, "ticks", ("", "symbol", "time", "bid", "ask", ""), {0: r"\d+", 1: PAIR, 2: TIME, 5: "[A-Z]"}),
    Columns(NAME, "ticks", ("", "", "symbol", "time", "bid", "ask"), {0: r"\d+", 1: "[A-Z]", 2: PAIR, 3: TIME}),
    Header(NAME, ("ltid", "currencypair", "ratedatetime", "ratebid", "rateask")),
)
