"""Momentum against its own past: the definitions, one bar at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from fxloom.families.lagged_cross_window import FAMILY
from fxloom.features.domain import BOTH, RATE, Domain
from tests.families.walks import check_declarations, computed, frame, index_of, momentum_of, sample

NAMES = ["walk", pytest.param("market28/cadchf", marks=pytest.mark.data)]
WINDOWS = (15, 30, 45, 60, 75)


@cache
def mom(domain: Domain, w: int, name: str) -> np.ndarray:
    if domain is not RATE:
        return 1e4 * momentum_of(w, name)
    c = index_of(name)
    out = np.full(len(c), np.nan)
    for t in range(w, len(c)):
        change = np.log(c[t] / c[t - w])
        out[t] = 1e4 * change if abs(change) >= 1e-12 else 0.0
    return out


def corr(x: np.ndarray, y: np.ndarray) -> float:
    if np.isnan(x).any() or np.isnan(y).any() or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_every_column_matches_its_definition(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    for w in WINDOWS:
        y = mom(domain, w, name)
        late, early, lag = (30, 15, 30) if w == 15 else (15, w, 15)
        x, z = mom(domain, late, name), mom(domain, early, name)
        for t in sample(400, len(y)):
            past = range(t - w + 1, t + 1)
            expected = {
                "prev": y[t - w],
                "change": y[t] - y[t - w],
                "autocorr": corr(y[t - 239 : t + 1], y[t - w - 239 : t - w + 1]),
                "transfer": corr(x[t - 239 : t + 1], z[t - lag - 239 : t - lag + 1]),
                "agree": sum(np.sign(y[s]) == np.sign(y[s - w]) for s in past) / w,
            }
            for key, value in expected.items():
                assert out[f"lag_{key}_{w}"][t] == pytest.approx(value, abs=1e-9, nan_ok=True), (key, w, t)


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
