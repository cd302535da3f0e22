"""Any table whose header names a time and prices."""

from __future__ import annotations

from fxloom.sources.formats.shape import Header

NAME = "named columns"
SHAPES = (Header(NAME, ()),)
