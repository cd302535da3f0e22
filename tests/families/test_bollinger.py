"""Bollinger bands against TA-Lib and their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from fxloom.families.bollinger import FAMILY
from fxloom.features.domain import BOTH, RATE, Domain
from tests.families.walks import check_declarations, computed, frame, index_of, momentum_of, sample

NAMES = ["walk", pytest.param("market28/eurgbp", marks=pytest.mark.data)]


def index_series(domain: Domain, w: int, name: str) -> np.ndarray:
    return index_of(name) if domain is RATE else 100.0 * (1.0 + momentum_of(w, name) / w)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_bands_match_talib(domain: Domain, name: str) -> None:
    """TA-Lib's running sums of squares lose digits at a level of 100, so it gets one window at a time."""
    out = computed(FAMILY, domain, name)
    for w in (15, 30, 45, 60, 75):
        y = index_series(domain, w, name)
        first = domain.series(w) + w - 1
        for t in sample(first, len(y), moving=name == "walk"):
            window = y[t - w + 1 : t + 1]
            if np.ptp(window) < 1e-9:
                continue
            centred = window - y[t]
            upper, middle, lower = (band[-1] for band in talib.BBANDS(centred, w, 2.0, 2.0))
            assert out[f"bb_percent_b_{w}"][t] == pytest.approx((0.0 - lower) / (upper - lower), abs=1e-7)
            assert middle == pytest.approx(centred.mean(), abs=1e-12)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_width_by_its_formula(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    for w in (15, 75):
        y = index_series(domain, w, name)
        first = domain.series(w) + w - 1
        windows = np.lib.stride_tricks.sliding_window_view(y[first - w + 1 :], w)
        width = 4.0 * windows.std(axis=1) / windows.mean(axis=1)
        width[np.ptp(windows, axis=1) <= 1e-11] = 0.0
        for t in sample(first + 239, len(y)):
            mean = width[t - first - 239 : t - first + 1].mean()
            if mean == 0.0:
                assert np.isnan(out[f"bb_width_{w}"][t])
            else:
                assert out[f"bb_width_{w}"][t] == pytest.approx(width[t - first] / mean, rel=1e-8)


def test_a_still_price_has_no_position_in_its_bands() -> None:
    t = int(frame().bars.observed[1_295])
    for domain in BOTH:
        out = computed(FAMILY, domain)
        assert np.isnan(out["bb_percent_b_15"][t])
        assert np.isnan(out["bb_width_15"][t])
        assert np.isfinite(out["bb_width_15"][t - 200])


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
