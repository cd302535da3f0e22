"""The volatility surface: windows against their definitions, forecasts and likelihoods against arch."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from arch import arch_model

from fxloom.bars.bars import Bars
from fxloom.families.volatility_surface import FAMILY, GARCH_NAMES
from fxloom.features.domain import BOTH, Domain
from fxloom.kernels.garch import fit_garch
from tests.families.weekly import (
    check_due_and_in_range,
    check_lookback_is_sufficient,
    check_only_past_bars_matter,
    series,
    usable_weeks,
    view_of,
    weekly_bars,
    weekly_view,
)
from tests.markets import standing_still

NAMES = ["synthetic", pytest.param("market28/eurgbp", marks=pytest.mark.data)]
MANY = ["market28/audcad", "market28/gbpnzd", "market28/usdjpy", "long9/gbpusd", "long9/eurchf", "long9/usdcad"]
DOMAINS = pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
WINDOWS = (15, 30, 60, 120, 240)


def garch_warmup(domain: Domain) -> int:
    return 7_200 + domain.r


def model_of(r: np.ndarray) -> object:
    return arch_model(r, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)


@DOMAINS
@pytest.mark.parametrize("name", NAMES)
def test_windows_match_their_definitions(domain: Domain, name: str) -> None:
    view = weekly_view(domain, name)
    out, r = FAMILY.compute(view), 1e4 * series(view)[1]
    for t in [domain.r + 239, domain.r + 240, *range(5_000, len(r), 701), len(r) - 1]:
        rv = [np.std(r[t - w + 1 : t + 1], ddof=1) for w in WINDOWS]
        for w, value in zip(WINDOWS, rv, strict=True):
            assert out[f"vs_rv_{w}"][t] == pytest.approx(value, rel=1e-9, abs=1e-12)
        assert out["vs_slope"][t] == pytest.approx(np.polyfit(np.log(WINDOWS), rv, 1)[0], rel=1e-8, abs=1e-9)
        assert out["vs_curvature"][t] == pytest.approx(rv[0] - 2 * rv[2] + rv[4], abs=1e-9)
        assert out["vs_ratio_15_60"][t] == pytest.approx(rv[0] / rv[2], rel=1e-9)
        assert out["vs_ratio_60_240"][t] == pytest.approx(rv[2] / rv[4], rel=1e-9)
        if np.isfinite(out["garch_vol"][t]):
            assert out["garch_vs_rv"][t] == pytest.approx(min(out["garch_vol"][t] / rv[2], 10.0), rel=1e-9)


@DOMAINS
@pytest.mark.parametrize("name", NAMES)
def test_forecasts_match_arch_for_the_same_parameters(domain: Domain, name: str) -> None:
    view = weekly_view(domain, name)
    out, r = FAMILY.compute(view), 1e4 * series(view)[1]
    for week in usable_weeks(view, garch_warmup(domain)):
        x, _, _ = fit_garch(r[week.before(7_200)].copy())
        for t in (week.begin, (week.begin + week.end) // 2, week.end - 1):
            history = r[week.begin - 7_200 : t + 1]
            fixed = model_of(history).fix(x)  # type: ignore[attr-defined]
            ahead = fixed.forecast(horizon=60, reindex=False).variance.to_numpy()[0]
            assert out["garch_vol"][t] == pytest.approx(math.sqrt(ahead[0]), rel=1e-10)
            assert out["garch_vol_30"][t] == pytest.approx(math.sqrt(ahead[:30].mean()), rel=1e-10)
            assert out["garch_term"][t] == pytest.approx(math.sqrt(ahead.mean() / ahead[0]), rel=1e-10)
            assert out["garch_persistence"][t] == pytest.approx(x[2] + x[3])
            known = fixed.conditional_volatility[-1]  # the forecast for t, made at t - 1
            assert out["garch_z"][t] == pytest.approx(r[t] / known, rel=1e-9, abs=1e-12)


@pytest.mark.data
@DOMAINS
@pytest.mark.parametrize("name", MANY)
def test_likelihood_is_no_lower_than_archs_on_real_bars(domain: Domain, name: str) -> None:
    view = weekly_view(domain, name)
    r = 1e4 * series(view)[1]
    for week in usable_weeks(view, garch_warmup(domain)):
        window = r[week.before(7_200)].copy()
        x, likelihood, _ = fit_garch(window)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = model_of(window).fit(disp="off", show_warning=False)  # type: ignore[attr-defined]
        assert likelihood == pytest.approx(model_of(window).fix(x).loglikelihood, abs=1e-6)  # type: ignore[attr-defined]
        if other.params["alpha[1]"] + other.params["beta[1]"] <= 1.0:
            assert likelihood >= other.loglikelihood - 1e-3
        assert x[2] + x[3] <= 1.0


@DOMAINS
def test_a_week_depends_only_on_earlier_bars(domain: Domain) -> None:
    check_only_past_bars_matter(FAMILY, domain)


@DOMAINS
def test_the_declared_lookback_is_sufficient(domain: Domain) -> None:
    check_lookback_is_sufficient(FAMILY, domain, garch_warmup(domain))


@DOMAINS
def test_values_are_due_as_declared_and_in_range(domain: Domain) -> None:
    check_due_and_in_range(FAMILY, domain)


def still_until(view_bar: int, domain: Domain) -> Bars:
    """Bars whose price does not move before a clock position."""
    bars = weekly_bars()
    n = int(weekly_view(domain).frame.bars.observed.searchsorted(view_bar))
    return standing_still(bars, 0, n, float(bars.close[n]))


@DOMAINS
def test_a_still_window_fails_and_is_reported(domain: Domain) -> None:
    first = usable_weeks(weekly_view(domain), garch_warmup(domain))[0]
    view = view_of(still_until(first.begin, domain), domain)
    out = FAMILY.compute(view)
    ((reason, where, names),) = view.missing
    assert (reason, names) == ("failed fit", (*GARCH_NAMES, "garch_vs_rv"))
    np.testing.assert_array_equal(np.flatnonzero(where), np.arange(first.begin, first.end))
    for name in names:
        assert np.isnan(out[name][first.bars]).all(), name
        assert np.isfinite(out[name][first.end :]).all(), name
    still = first.begin - 1
    assert out["vs_rv_15"][still] == out["vs_slope"][still] == out["vs_curvature"][still] == 0.0
    assert np.isnan(out["vs_ratio_15_60"][still])
