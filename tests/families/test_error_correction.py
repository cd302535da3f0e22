"""Cointegrated systems against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.bars.pairs import PAIRS
from fxloom.families import error_correction
from fxloom.features.domain import BOTH, Domain
from fxloom.series.siblings import system_of
from tests.families.cross_section_reference import legs_of, slow_correction
from tests.families.panel_reference import (
    Twin,
    compare,
    frame_of,
)
from tests.markets import panel


def test_the_systems_are_those_of_the_page() -> None:
    assert all(list(system_of(p)) == legs_of(p) for p in PAIRS)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_error_correction_is_what_statsmodels_finds(domain: Domain) -> None:
    frame = frame_of(panel(("eurgbp", "eurusd", "usdcad"), 1_900, seed=5, holes=False))
    columns = error_correction.compute(frame.view(domain))
    rows = (1_560, 1_619, 1_620, 1_800, 1_899)
    compare(columns, slow_correction, Twin(frame, domain.name), rows, ("eurusd",), tolerance=1e-6)
    assert np.isnan(columns["coint_ect"][:, :1_440]).all()
