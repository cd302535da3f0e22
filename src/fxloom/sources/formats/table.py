"""A table from a file that is not plain text: Parquet, Arrow, JSON, a sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fxloom.sources.names import UNNAMED, plain, role_of, time_rank
from fxloom.sources.text import Text


@dataclass(frozen=True, eq=False)
class Table:
    """Typed columns, or lines of text.

    ``format``: the vendor; ``symbol``: the instrument that the content states; ``hint``: a name that may identify it;
    ``zone``: the hours from UTC that the vendor documents. "" or None if unknown.
    """

    content: pl.DataFrame | Text
    format: str = ""
    symbol: str = ""
    hint: str = ""
    zone: float | None = None


def useful_columns(schema: Mapping[str, pl.DataType]) -> list[str]:
    """The columns that may hold a time, a symbol or numbers; text and nested values under other names are left out."""
    return [
        name
        for name, kind in schema.items()
        if kind.is_numeric() or kind.is_temporal() or kind == pl.Boolean or name.startswith("(") or _is_known(name)
    ]


def _is_known(name: str) -> bool:
    return role_of(name) is not None or time_rank(name) is not None or plain(name) in UNNAMED
