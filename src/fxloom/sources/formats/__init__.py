"""The formats, one module each; its ``SHAPES`` are functions from a sample to a layout, or None without a match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fxloom.sources.formats import (
    dukascopy,
    fxcm,
    gain,
    histdata,
    interactive_brokers,
    kraken,
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
    """A vendor's text tables."""

    name: str
    shapes: tuple[Callable[[Sample], Layout | None], ...]

    def recognise(self, sample: Sample) -> Layout | None:
        """The layout of a file of this format, or None."""
        return next((layout for shape in self.shapes if (layout := shape(sample)) is not None), None)


FORMATS = tuple(
    Format(module.NAME, module.SHAPES)
    for module in (
        histdata, gain, interactive_brokers, kraken, lean, truefx, metatrader5, metatrader5_api, yahoo, oanda, fxcm,
        dukascopy, metatrader4, named, plain,
    )
)  # fmt: skip
BINARY = ("bi5", "parquet", "arrow", "json", "xlsx")
NAMES = (*(each.name for each in FORMATS), *BINARY)
