"""The formats, one file each: a file says which of the sample's features make it this format, and its layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fxloom.sources.formats import (
    dukascopy,
    fxcm,
    histdata,
    lean,
    metatrader4,
    metatrader5,
    metatrader5_api,
    named,
    oanda,
    plain,
    truefx,
    yahoo,
)
from fxloom.sources.layout import Layout
from fxloom.sources.text import Sample


@dataclass(frozen=True)
class Format:
    """``recognise`` gives the layout of a file of this format, None for any other."""

    name: str
    recognise: Callable[[Sample], Layout | None]


FORMATS = tuple(
    Format(module.NAME, module.recognise)
    for module in (
        histdata, lean, truefx, metatrader5, metatrader5_api, yahoo, oanda, fxcm, dukascopy, metatrader4, named, plain,
    )
)  # fmt: skip
BINARY = ("bi5", "parquet")
NAMES = (*(each.name for each in FORMATS), *BINARY)
