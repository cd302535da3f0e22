"""Quantiles of Student's t against scipy."""

from __future__ import annotations

import pytest
from scipy import stats

from fxloom.kernels.student import student_quantile


def test_quantiles_match_scipy() -> None:
    for freedom in (1, 2, 3, 4, 12, 27, 42, 57, 72, 87, 500):
        for p in (0.6, 0.9, 0.975, 0.999):
            assert student_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-12)
    assert student_quantile(0.5, 5) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match="degrees of freedom: expected"):
        student_quantile(0.3, 5)
