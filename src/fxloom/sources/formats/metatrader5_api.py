"""The frame of MetaTrader 5's Python package saved as csv: time (epochs of the broker's clock), tick_volume, spread."""

from __future__ import annotations

from fxloom.sources.formats.shape import Header

NAME = "mt5 python"
SHAPES = (Header(NAME, ("time", "tickvolume", "spread", "realvolume"), extra={"points": True}),)
