"""Covariances of the regression terms where the price is still; declared warm-ups and ranges."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.families.term_covariance import FAMILY
from fxloom.features.domain import BOTH, Domain
from tests.families.walks import check_declarations, computed, frame

COUPLES = [("quad", "lin"), ("resid", "quad"), ("resid", "lin")]


def test_a_still_price_has_no_covariance_and_no_correlation() -> None:
    t = int(frame().bars.observed[1_290])
    for domain in BOTH:
        out = computed(FAMILY, domain)
        assert all(out[f"tc_cov_{a}_{b}"][t] == 0.0 for a, b in COUPLES)
        assert all(np.isnan(out[f"tc_corr_{a}_{b}"][t]) for a, b in COUPLES)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
