"""The tolerances are those of docs/definitions/conventions.md."""

from __future__ import annotations

from pathlib import Path

from fxloom.kernels.tolerances import EQUAL, FLAT_RANGE, ZERO_CHANGE

CONVENTIONS = Path(__file__).parents[2] / "docs" / "definitions" / "conventions.md"


def test_tolerances_are_the_documented_ones() -> None:
    assert (ZERO_CHANGE, FLAT_RANGE, EQUAL) == (1e-12, 1e-13, 1e-9)
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in CONVENTIONS.read_text().splitlines()]
    assert ["relative change that counts as 0", "1e-12"] in rows
    assert ["flat window", "max - min <= 1e-13 max abs"] in rows
    assert ["equal in ranks, percentiles, flags, comparisons", "1e-9 relative"] in rows
