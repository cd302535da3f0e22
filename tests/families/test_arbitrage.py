"""Triangles of pairs against a slow twin written from the definitions."""

from __future__ import annotations

from fxloom.families import arbitrage
from fxloom.features.domain import RATE
from tests.families.panel_reference import (
    ROWS,
    Twin,
    compare,
    frame_of,
    slow_arbitrage,
)
from tests.markets import SOME, panel


def test_arbitrage_is_what_the_page_says() -> None:
    frame = frame_of(panel())
    columns = arbitrage.compute(frame.view(RATE))
    compare(columns, slow_arbitrage, Twin(frame), ROWS, SOME)
