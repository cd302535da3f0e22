"""Strengths of currencies against a slow twin written from the definitions."""

from __future__ import annotations

from fxloom.families import currency_strength
from fxloom.features.domain import RATE
from tests.families.panel_reference import (
    ROWS,
    Twin,
    compare,
    frame_of,
    slow_strength,
)
from tests.markets import SOME, panel


def test_currency_strength_is_what_the_page_says() -> None:
    frame = frame_of(panel())
    columns = currency_strength.compute(frame.view(RATE))
    compare(columns, slow_strength, Twin(frame), ROWS, SOME)
