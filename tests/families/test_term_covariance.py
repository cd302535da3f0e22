"""Covariances of the regression terms against polyfit and numpy, one window at a time."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.families.term_covariance import FAMILY
from fxloom.features.domain import BOTH, Domain
from tests.families.walks import check_declarations, computed, frame, sample, series_of

NAMES = ["walk", pytest.param("market28/nzdusd", marks=pytest.mark.data)]
COUPLES = [("quad", "lin"), ("resid", "quad"), ("resid", "lin")]
U = np.arange(-59.0, 1.0)


def terms_at(y: np.ndarray, t: int) -> dict[str, float]:
    """Contributions of curvature and slope at the window's start, and the newest residual."""
    window = y[t - 59 : t + 1] - y[t]
    if np.ptp(y[t - 59 : t + 1]) <= 1e-13 * abs(y[t]):
        return {"quad": 0.0, "lin": 0.0, "resid": 0.0}
    b, a1, a2 = map(float, np.polynomial.Polynomial.fit(U, window, 2).convert().coef)
    return {"quad": a2 * 59.0**2, "lin": a1 * -59.0, "resid": 0.0 - b}


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_terms_match_their_definitions(domain: Domain, name: str) -> None:
    out, y = computed(FAMILY, domain, name), series_of(domain, 60, name)
    for t in sample(domain.series(60) + 118, len(y), moving=True)[::3]:
        rows = [terms_at(y, s) for s in range(t - 59, t + 1)]
        for one, other in COUPLES:
            x, z = ([row[key] for row in rows] for key in (one, other))
            scale = float(np.std(x) * np.std(z))
            assert out[f"tc_cov_{one}_{other}"][t] == pytest.approx(np.cov(x, z)[0, 1], abs=1e-8 * scale)
            assert out[f"tc_corr_{one}_{other}"][t] == pytest.approx(np.corrcoef(x, z)[0, 1], abs=1e-8)


def test_a_still_price_has_no_covariance_and_no_correlation() -> None:
    t = int(frame().bars.observed[1_290])
    for domain in BOTH:
        out = computed(FAMILY, domain)
        assert all(out[f"tc_cov_{a}_{b}"][t] == 0.0 for a, b in COUPLES)
        assert all(np.isnan(out[f"tc_corr_{a}_{b}"][t]) for a, b in COUPLES)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
