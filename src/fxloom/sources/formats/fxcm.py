"""FXCM: bid and ask bars (BidOpen .. AskClose, tickqty), or one side with times that include their offset."""

from __future__ import annotations

from fxloom.sources.formats.matching import mostly
from fxloom.sources.formats.shape import Header
from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.names import plain
from fxloom.sources.text import Sample

NAME = "fxcm"


def _one_side(sample: Sample) -> Layout | None:
    names = [plain(name) for name in sample.header]
    known = names == ["timestamp", "open", "high", "low", "close"] and mostly(r".*[+-]\d\d:\d\d", sample.column(0))
    return named_layout(sample.header, sample, NAME) if known else None


SHAPES = (Header(NAME, ("bidopen", "askopen"), first=("datetime", "date", "")), _one_side)
