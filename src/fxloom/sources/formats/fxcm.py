"""FXCM: bid and ask bars (BidOpen .. AskClose, tickqty), or one side with times that carry their offset."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly
from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.layout import plain as plain_name
from fxloom.sources.text import Sample

NAME = "fxcm"


def recognise(sample: Sample) -> Layout | None:
    names = [plain_name(name) for name in sample.header]
    both = "bidopen" in names and "askopen" in names and names[0] in ("datetime", "date", "")
    one = names == ["timestamp", "open", "high", "low", "close"] and mostly(r".*[+-]\d\d:\d\d", sample.column(0))
    return named_layout(sample.header, sample, NAME) if both or one else None
