"""LEAN minute quotes: milliseconds since midnight, bid bar, bid size, ask bar, ask size; the day is in the name."""

from __future__ import annotations

import re

from fxloom.sources.formats.matching import mostly
from fxloom.sources.layout import ASK, BID, Layout
from fxloom.sources.text import Sample

NAME = "lean"


def recognise(sample: Sample) -> Layout | None:
    if sample.header or sample.width != 11 or not mostly(r"\d{1,8}", sample.column(0)):
        return None
    day = next((d for hint in sample.hints for d in re.findall(r"(?<!\d)((?:19|20)\d{6})(?!\d)", hint)), None)
    places = {role: 1 + place for place, role in enumerate(BID)} | {role: 6 + place for place, role in enumerate(ASK)}
    return Layout(NAME, "quoted bars", (0,), places, midnight=day or "", side="mid")
