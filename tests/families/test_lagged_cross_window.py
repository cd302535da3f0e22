"""Momentum against its own past where the price is still; declared warm-ups and ranges."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.families.lagged_cross_window import FAMILY
from fxloom.features.domain import BOTH, Domain
from tests.families.walks import check_declarations, computed, frame


def test_two_zero_momenta_agree() -> None:
    t = int(frame().bars.observed[1_290])
    for domain in BOTH:
        out = computed(FAMILY, domain)
        assert out["lag_agree_75"][t] == 1.0
        assert out["lag_change_75"][t] == 0.0
        assert np.isnan(out["lag_autocorr_15"][t])


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
