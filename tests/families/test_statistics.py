"""Rolling moments of the domains' series against pandas and scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fxloom.families.statistics import FAMILY
from fxloom.features.domain import BOTH, Domain
from tests.families.walks import check_declarations, computed, frame, sample, series_of

NAMES = ["walk", pytest.param("market28/gbpjpy", marks=pytest.mark.data)]


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_moments_match_pandas_and_scipy(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    for w in (15, 30, 45, 60, 75, 90):
        y = series_of(domain, w, name)
        scale = np.nanstd(y)
        for t in sample(domain.series(w) + w - 1, len(y)):
            window = y[t - w + 1 : t + 1]
            if np.ptp(window) <= 1e-13 * np.abs(window).max():
                assert out[f"stat_std_{w}"][t] == 0.0
                assert np.isnan(out[f"stat_skew_{w}"][t])
                assert np.isnan(out[f"stat_kurt_{w}"][t])
                continue
            s = pd.Series(window)
            assert out[f"stat_mean_{w}"][t] == pytest.approx(s.mean(), abs=1e-12 * scale + 1e-14 * abs(s.mean()))
            assert out[f"stat_std_{w}"][t] == pytest.approx(s.std(), rel=1e-8)
            assert out[f"stat_skew_{w}"][t] == pytest.approx(stats.skew(window, bias=False), rel=1e-7, abs=1e-8)
            assert out[f"stat_kurt_{w}"][t] == pytest.approx(stats.kurtosis(window, bias=False), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)


def test_extreme_windows_reach_the_declared_ranges() -> None:
    """A single outlier gives the most skewed window possible; two equal halves give the flattest."""
    ranges = {c.name: (c.low, c.high) for c in FAMILY.columns(BOTH[0])}
    one = np.r_[np.zeros(14), 1.0]
    half = np.r_[np.zeros(15), np.ones(15)]
    assert stats.skew(one, bias=False) == pytest.approx(ranges["stat_skew_15"][1])
    assert stats.kurtosis(one, bias=False) == pytest.approx(ranges["stat_kurt_15"][1])
    assert stats.kurtosis(half, bias=False) == pytest.approx(ranges["stat_kurt_30"][0])


def test_a_still_price_is_flat_in_both_domains() -> None:
    t = int(frame().bars.observed[1_290])
    for domain in BOTH:
        out = computed(FAMILY, domain)
        assert all(out[f"stat_std_{w}"][t] == 0.0 for w in (15, 90))
