"""LEAN quotes: milliseconds since midnight, then a bid and an ask, or their bars with sizes; the day is in the name.

Minute and second bars share a layout; hours and days (``20140501 00:00``) use another and are too coarse.
"""

from __future__ import annotations

import re
from dataclasses import replace

from fxloom.sources.formats.shape import NUMBER, Columns
from fxloom.sources.layout import Layout
from fxloom.sources.text import Sample

NAME = "lean"
_MILLISECONDS = r"\d{1,8}"
_BARS = ("time", "bid bar", "", "ask bar", "")
_QUOTES = Columns(NAME, "quoted bars", _BARS, {0: _MILLISECONDS}, extra={"midnight": ""})
_TICKS = Columns(
    NAME, "ticks", ("time", "bid", "ask"), {0: _MILLISECONDS, 1: NUMBER, 2: NUMBER}, extra={"midnight": ""}
)
_COARSE = Columns(NAME, "quoted bars", _BARS, {0: r"\d{8} \d\d:\d\d"})


def _of_day(sample: Sample) -> Layout | None:
    day = next((d for hint in sample.hints for d in re.findall(r"(?<!\d)((?:19|20)\d{6})(?!\d)", hint)), "")
    ticks = _TICKS(sample) if day else None  # three columns of numbers alone are not distinctive enough
    layout = _QUOTES(sample) or ticks
    return None if layout is None else replace(layout, midnight=day)


SHAPES = (_of_day, _COARSE)
