"""A lazy frame of features that says what it was read from."""

from __future__ import annotations

from typing import cast

import polars as pl

from fxloom.datasets.availability import Provenance


class FeatureFrame(pl.LazyFrame):
    """A polars LazyFrame with ``provenance``: which partitions it reads, in which state.

    polars keeps no metadata on frames: what is derived from this one (``filter``, ``collect`` ...) has no provenance.
    """

    provenance: Provenance | None = None

    @classmethod
    def of(cls, frame: pl.LazyFrame, provenance: Provenance) -> FeatureFrame:
        """``frame`` with its provenance."""
        found = cast(FeatureFrame, cls._from_pyldf(frame._ldf))
        found.provenance = provenance
        return found
