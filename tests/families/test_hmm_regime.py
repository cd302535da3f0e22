"""Regimes week by week: against hmmlearn, the paper's recursion and the definitions of CUSUM."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM

from fxloom.bars.bars import Bars
from fxloom.families.hmm_regime import CHANGE_NAMES, FAMILY, STATE_NAMES, change_warmup, state_warmup
from fxloom.features.domain import BOTH, RATE, Domain
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
from tests.reference.change_points import run_probabilities

NAMES = ["synthetic", pytest.param("market28/eurgbp", marks=pytest.mark.data)]
DOMAINS = pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)


def observed(x: np.ndarray, r: np.ndarray) -> np.ndarray:
    """y = (ret_5 in bp, ln(0.1 + std_15(r) in bp)), (bars, 2)."""
    change, level = np.full(len(x), np.nan), np.full(len(x), np.nan)
    change[5:] = 1e4 * np.log(x[5:] / x[:-5])
    change[np.abs(change) < 1e-8] = 0.0
    windows = np.lib.stride_tricks.sliding_window_view(r, 15)
    std = np.where(np.ptp(windows, axis=1) == 0.0, 0.0, windows.std(axis=1, ddof=1))
    level[14:] = np.log(0.1 + 1e4 * std)
    return np.stack([change, level], axis=1)


def model_of(y: np.ndarray) -> GaussianHMM:
    """hmmlearn's model after 100 steps on a window, states ordered by volatility, starting from 1/3 each."""
    order = np.argsort(y[:, 1], kind="stable")
    parts = [y[part] for part in np.array_split(order, 3)]
    model = GaussianHMM(3, "diag", n_iter=100, tol=-np.inf, init_params="", params="stmc")
    model.startprob_, model.transmat_ = np.full(3, 1 / 3), np.where(np.eye(3) > 0, 0.98, 0.01)
    model.means_ = np.array([part.mean(axis=0) for part in parts])
    model.covars_ = np.array([np.maximum(part.var(axis=0), 1e-3) for part in parts])
    logging.disable(logging.WARNING)
    model.fit(y)
    logging.disable(logging.NOTSET)
    order = np.argsort(model.means_[:, 1])
    model.startprob_, model.transmat_ = np.full(3, 1 / 3), model.transmat_[np.ix_(order, order)]
    model.means_, model.covars_ = model.means_[order], model._covars_[order]
    return model


@DOMAINS
@pytest.mark.parametrize("name", NAMES)
def test_states_match_hmmlearn(domain: Domain, name: str) -> None:
    view = weekly_view(domain, name)
    out, y = FAMILY.compute(view), observed(*series(view))
    week = usable_weeks(view, state_warmup(domain))[0]
    model, begin = model_of(y[week.before(7_200)]), week.begin - 1_440
    for t in (week.begin, week.begin + 1, (week.begin + week.end) // 2, week.end - 1):
        p = np.array([model.predict_proba(y[begin : i + 1])[-1] for i in range(t - 59, t + 1)])
        found = np.array([out[f"hmm_prob_{state}"][t] for state in ("calm", "trend", "shock")])
        np.testing.assert_allclose(found, p[-1], rtol=1e-7, atol=1e-8)
        assert out["hmm_switch_prob"][t] == pytest.approx(1.0 - p[-1] @ np.diag(model.transmat_), abs=1e-8)
        positive = p[-1][p[-1] > 1e-300]
        assert out["hmm_entropy"][t] == pytest.approx(-(positive * np.log(positive)).sum() / np.log(3), abs=1e-7)
        gained = model.score(y[begin : t + 1]) - model.score(y[begin : t - 14])
        assert out["hmm_loglik"][t] == pytest.approx(np.clip(gained / 15, -100, 100), abs=1e-7)
        state = p.argmax(axis=1)
        assert out["hmm_agreement"][t] == pytest.approx((state == state[-1]).mean())
        changes = np.flatnonzero(np.diff(state))
        if len(changes):
            assert out["hmm_state_duration"][t] == 58 - changes[-1]


@DOMAINS
@pytest.mark.parametrize("name", NAMES)
def test_change_points_match_their_definitions(domain: Domain, name: str) -> None:
    view = weekly_view(domain, name)
    out, r = FAMILY.compute(view), 1e4 * series(view)[1]
    week = usable_weeks(view, change_warmup(domain))[0]
    window, bars = r[week.before(7_200)], slice(week.begin, week.begin + 400)
    moves = r[week.begin - 1_440 : bars.stop]
    p = run_probabilities(moves, window.mean(), window.var(ddof=1))[1_440:]
    np.testing.assert_array_equal(out["bocpd_run_length"][bars], p.argmax(axis=1))
    np.testing.assert_allclose(out["bocpd_expected_run"][bars], p @ np.arange(241), rtol=1e-8)
    np.testing.assert_allclose(out["bocpd_change_prob"][bars], p[:, :15].sum(axis=1), rtol=1e-8)
    expected = cusum_by_definition(moves / window.std(ddof=1))
    for column in ("cusum_up", "cusum_down", "cusum_alarm", "cusum_bars_since_alarm"):
        np.testing.assert_allclose(out[column][bars], expected[column][1_440:], atol=1e-9)


def cusum_by_definition(z: np.ndarray) -> dict[str, np.ndarray]:
    ups, downs, alarms = [0.0], [0.0], []
    for value in z:
        up, down = max(0.0, ups[-1] + value - 0.5), max(0.0, downs[-1] - value - 0.5)
        alarms.append(1 if up > 5.0 else -1 if down > 5.0 else 0)
        ups.append(0.0 if up > 5.0 else up)
        downs.append(0.0 if down > 5.0 else down)
    latest, since = [], []
    for t in range(len(z)):
        past = [i for i in range(t + 1) if alarms[i]]
        since.append(min(t - past[-1], 1_440) if past else 1_440)
        latest.append(alarms[past[-1]] if past and t - past[-1] <= 14 else 0)
    return {
        "cusum_up": np.array(ups[1:]),
        "cusum_down": np.array(downs[1:]),
        "cusum_alarm": np.array(latest),
        "cusum_bars_since_alarm": np.array(since),
    }


@DOMAINS
def test_a_week_depends_only_on_earlier_bars(domain: Domain) -> None:
    check_only_past_bars_matter(FAMILY, domain)


@DOMAINS
def test_the_declared_lookback_is_sufficient(domain: Domain) -> None:
    check_lookback_is_sufficient(FAMILY, domain, state_warmup(domain))


@DOMAINS
def test_values_are_due_as_declared_and_in_range(domain: Domain) -> None:
    check_due_and_in_range(FAMILY, domain)
    assert [c.name for c in FAMILY.columns(domain)] == [*STATE_NAMES, *CHANGE_NAMES]


def test_probabilities_sum_to_one() -> None:
    out = FAMILY.compute(weekly_view(RATE))
    total = np.sum([out[f"hmm_prob_{state}"] for state in ("calm", "trend", "shock")], axis=0)
    np.testing.assert_allclose(total[np.isfinite(total)], 1.0, rtol=1e-12)


def still_until(bar: int) -> Bars:
    """Bars whose price does not move before ``bar``."""
    bars = weekly_bars()
    return standing_still(bars, 0, bar, float(bars.close[bar]))


@DOMAINS
def test_a_still_window_fails_and_is_reported(domain: Domain) -> None:
    first = usable_weeks(weekly_view(domain), state_warmup(domain))[0]
    view = view_of(still_until(int(weekly_view(domain).frame.bars.observed.searchsorted(first.begin))), domain)
    out = FAMILY.compute(view)
    reported = {name: where for reason, where, names in view.missing for name in names if reason == "failed fit"}
    assert set(reported) == {*STATE_NAMES, *CHANGE_NAMES}
    for name, column in out.items():
        assert np.isnan(column[first.bars]).all(), name
        assert np.isfinite(column[first.end :]).all(), name
        np.testing.assert_array_equal(np.flatnonzero(reported[name]), np.arange(first.begin, first.end))


def test_change_points_survive_a_failed_model() -> None:
    """A few extreme moves make a state that covers less than a hundredth of the window."""
    bars = weekly_bars()
    week = usable_weeks(weekly_view(RATE), state_warmup(RATE))[0]
    at = int(weekly_view(RATE).frame.bars.observed.searchsorted(week.begin - 2_000))
    view = view_of(standing_still(bars, at, at + 1, 1.5 * float(bars.close[at])), RATE)
    out = FAMILY.compute(view)
    (reason, where, names), *_ = view.missing
    assert (reason, names) == ("failed fit", STATE_NAMES)
    assert where[week.bars].all()
    assert np.isnan(out["hmm_prob_calm"][week.bars]).all()
    assert np.isfinite(out["bocpd_run_length"][week.bars]).all()
