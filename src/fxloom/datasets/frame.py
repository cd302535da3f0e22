"""A lazy frame of features that knows what it was read from."""

from __future__ import annotations

from typing import cast

import polars as pl

from fxloom.datasets.availability import Provenance


class FeatureFrame(pl.LazyFrame):
    """A polars LazyFrame with ``provenance``: which partitions it reads, and in which state they are.

    polars keeps no metadata on frames, so frames derived from this one (``filter``, ``collect`` ...) have none.
    """

    provenance: Provenance | None = None

    @classmethod
    def of(cls, frame: pl.LazyFrame, provenance: Provenance) -> FeatureFrame:
        """``frame`` with its provenance."""
        found = cast(FeatureFrame, cls._from_pyldf(frame._ldf))
        found.provenance = provenance
        return found
