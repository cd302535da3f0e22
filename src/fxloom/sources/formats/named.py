"""Any table whose header names a time and prices."""

from __future__ import annotations

from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.text import Sample

NAME = "named columns"


def recognise(sample: Sample) -> Layout | None:
    return named_layout(sample.header, sample, NAME)
