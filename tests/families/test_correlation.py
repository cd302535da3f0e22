"""Correlations of pairs against a slow twin written from the definitions."""

from __future__ import annotations

import pytest

from fxloom.families import correlation
from fxloom.features.domain import BOTH, Domain
from tests.families.panel_reference import (
    ROWS,
    Twin,
    compare,
    frame_of,
    slow_correlation,
)
from tests.markets import panel


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_correlation_is_what_the_page_says(domain: Domain) -> None:
    frame = frame_of(panel())
    columns = correlation.compute(frame.view(domain))
    compare(columns, slow_correlation, Twin(frame, domain.name), ROWS, ("audnzd", "eurusd", "usdjpy"))
