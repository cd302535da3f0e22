"""A table out of a file that is not text itself: Parquet, Arrow, JSON, a sheet."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fxloom.sources.text import Text


@dataclass(frozen=True, eq=False)
class Table:
    """Typed columns, or lines of text.

    ``format`` names the vendor, ``symbol`` the instrument that the content states, ``hint`` a name that may tell it;
    ``zone`` is the hours from UTC that the vendor documents. "" and None where they are not known.
    """

    content: pl.DataFrame | Text
    format: str = ""
    symbol: str = ""
    hint: str = ""
    zone: float | None = None
