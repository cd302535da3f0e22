"""Yahoo Finance: Datetime, Open, High, Low, Close, Adj Close, Volume; yfinance's rows of names (Price, Ticker)."""

from __future__ import annotations

from fxloom.sources.formats.shape import Header

NAME = "yahoo"
SHAPES = (Header(NAME, ("adjclose",)),)
