"""Comparisons of six regressions against their definitions with numpy's polynomial fits, one bar at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from fxloom.families.parabolic_comparison import FAMILY, clipped_ratio, dispersion
from fxloom.features.domain import BOTH, BQX, RATE, Domain
from tests.families.walks import check_declarations, computed, frame, sample, series_of

NAMES = ["walk", pytest.param("market28/eurcad", marks=pytest.mark.data)]
WINDOWS = (15, 30, 45, 60, 75, 90)
Fit = tuple[float, float, float, float, float]


@cache
def fit(domain: Domain, w: int, name: str, t: int) -> Fit:
    """a2, a1, b - y[t], r2, rmse."""
    y = series_of(domain, w, name)
    window = y[t - w + 1 : t + 1]
    if np.ptp(window) <= 1e-13 * np.abs(window).max():
        return 0.0, 0.0, 0.0, 0.0, 0.0
    d, u = window - y[t], np.arange(1.0 - w, 1.0)
    poly = np.polynomial.Polynomial.fit(u, d, 2)
    b, a1, a2 = map(float, poly.convert().coef)
    sse = float(np.sum((d - poly(u)) ** 2))
    return a2, a1, b, 1.0 - sse / float(np.sum((d - d.mean()) ** 2)), (sse / (w - 3)) ** 0.5


def ratio(a: float, b: float, low: float = -10.0) -> float:
    return np.nan if b == 0.0 else float(np.clip(a / b, low, 10.0))


def corr(x: list[float], y: list[float]) -> float:
    return np.nan if np.ptp(x) == 0.0 or np.ptp(y) == 0.0 else float(np.corrcoef(x, y)[0, 1])


def definitions(domain: Domain, name: str, t: int) -> dict[str, float]:
    least = 1e-9 if domain is RATE else 1e-11
    now = {w: fit(domain, w, name, t) for w in WINDOWS}
    a2 = {w: f[0] * w * w if abs(f[0]) * w * w >= least else 0.0 for w, f in now.items()}
    a1 = {w: f[1] * w if abs(f[1]) * w >= least else 0.0 for w, f in now.items()}
    b = {w: series_of(domain, w, name)[t] + f[2] for w, f in now.items()}
    r2, y = {w: f[3] for w, f in now.items()}, series_of(domain, 60, name)
    hour = range(t - 59, t + 1)
    resid = [0.0 - fit(domain, 60, name, s - 1)[2] for s in hour]
    return {
        **{f"par_a2_ratio_{v}_{w}": ratio(a2[v], a2[w]) for v, w in ((15, 60), (30, 75), (45, 90))},
        "par_a2_dispersion": float(np.std(list(a2.values()), ddof=1)),
        "par_a2_trend": float(np.polyfit(range(1, 7), list(a2.values()), 1)[0]),
        "par_a2_flip": float(a2[15] * a2[60] < 0.0),
        **{f"par_a1_ratio_{v}_{w}": ratio(a1[v], a1[w]) for v, w in ((15, 60), (30, 75), (45, 90))},
        "par_a1_dispersion": float(np.std(list(a1.values()), ddof=1)),
        "par_a1_accel": now[15][1] - fit(domain, 15, name, t - 15)[1],
        "par_a1_momentum": float(np.average(list(a1.values()), weights=[1.0 / w for w in a1])),
        "par_b_gap_15_45": b[15] - b[45],
        "par_b_gap_30_60": b[30] - b[60],
        "par_b_drift": (b[60] - y[t - 15] - fit(domain, 60, name, t - 15)[2]) / 15,
        "par_b_reversion": corr(resid, [y[s] - y[s - 1] for s in hour]),
        "par_r2_spread_30_90": r2[30] - r2[90],
        "par_r2_consistency": 1.0 - float(np.std(list(r2.values()), ddof=1)),
        "par_rmse_ratio_15_60": ratio(now[15][4], now[60][4], 0.0),
        "par_quality_drop": float(r2[15] < r2[60] and r2[15] < fit(domain, 15, name, t - 15)[3]),
    }


def between_domains(name: str, t: int) -> dict[str, float]:
    hour, long = range(t - 59, t + 1), range(t - 239, t + 1)
    out = {}
    for k, term in enumerate(("a2", "a1")):
        rate, bqx = ([fit(d, 30, name, s)[k] for s in hour] for d in BOTH)
        out[f"par_{term}_domain_corr"] = corr(rate, bqx)
    z = []
    for d in BOTH:
        level = np.array([series_of(d, 60, name)[s] + fit(d, 60, name, s)[2] for s in long])
        flat = np.ptp(level) <= 1e-13 * np.abs(level).max()
        z.append(np.nan if flat else (level[-1] - level.mean()) / level.std(ddof=1))
    out["par_b_domain_gap"] = z[0] - z[1]
    out["par_quality_domain_gap"] = fit(RATE, 60, name, t)[3] - fit(BQX, 60, name, t)[3]
    return out


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_every_column_matches_its_definition(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    for t in sample(360, frame(name).bars.ts.size, moving=True)[::2]:
        expected = definitions(domain, name, t) | (between_domains(name, t) if domain is RATE else {})
        assert set(expected) == set(out)
        for key, value in expected.items():
            scale = np.nanstd(out[key])
            got = out[key][t]
            assert got == pytest.approx(value, abs=1e-7 * scale, rel=1e-7, nan_ok=True), (key, t)


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


def test_dispersion_is_the_sample_standard_deviation() -> None:
    values = np.random.default_rng(6).normal(size=(6, 50))
    np.testing.assert_allclose(dispersion(list(values)), values.std(axis=0, ddof=1), rtol=1e-12)
    assert (dispersion([np.full(3, 0.1)] * 6) == 0.0).all()


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
