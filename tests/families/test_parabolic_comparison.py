"""Comparisons of six regressions: still prices, clipped ratios, equal values; declared warm-ups and ranges."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.families.parabolic_comparison import FAMILY, clipped_ratio, dispersion
from fxloom.features.domain import BOTH, Domain
from tests.families.walks import check_declarations, computed, frame


def test_a_still_price_is_flat_in_every_comparison() -> None:
    t = int(frame().bars.observed[1_295])
    for domain in BOTH:
        out = computed(FAMILY, domain)
        for key, column in out.items():
            if "ratio" in key or "reversion" in key or "corr" in key or key == "par_b_domain_gap":
                assert np.isnan(column[t]), key
            elif key in ("par_r2_consistency",):
                assert column[t] == 1.0
            elif not key.startswith("par_b_gap"):
                assert column[t] == 0.0, key
        assert out["par_b_gap_15_45"][t] == 0.0


def test_ratios_are_clipped_and_missing_for_a_zero_denominator() -> None:
    a, b = np.array([1.0, 1.0, -5.0, 1e-300, 3.0, np.nan]), np.array([0.0, 1e-3, 1e-300, -1.0, 2.0, 1.0])
    np.testing.assert_array_equal(clipped_ratio(a, b, -10.0), [np.nan, 10.0, -10.0, 0.0 - 1e-300, 1.5, np.nan])


def test_equal_values_have_no_dispersion() -> None:
    assert (dispersion([np.full(3, 0.1)] * 6) == 0.0).all()


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
