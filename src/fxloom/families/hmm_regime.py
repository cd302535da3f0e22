"""Regimes: a hidden Markov model of moves and volatility, Bayesian change points, and the CUSUM of moves.

The three states are bands of volatility, ordered by the mean of ln(0.1 + std_15(r)); "trend" is the middle one.
Models are fitted on the 7,200 bars before each Sunday 00:00 UTC and filtered forward from 1,440 bars before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import DAY, WEEK
from fxloom.features.domain import BOTH, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import Reason
from fxloom.features.pair_view import View
from fxloom.kernels.change_points import ALARM, LONGEST, RECENT, cusum, detect_runs, location_and_scale, recent_alarm
from fxloom.kernels.flatness import is_constant
from fxloom.kernels.hidden_markov import (
    Model,
    entropy,
    filter_hmm,
    fit_hmm,
    likeliest,
    observations,
    share_alike,
    switch_probability,
)
from fxloom.kernels.moments import rolling_mean
from fxloom.kernels.states import bars_since_change
from fxloom.series.anchors import Week, weeks
from fxloom.series.pair import volatility

FIT = 7_200  # bars of a fit
RUN_IN = DAY  # bars of a filter before the anchor
STEPS = 100  # of EM
VOLATILITY = 15  # bars of the second component
LEAST_VARIANCE = 1e-3  # at the start
LEAST_SHARE = 0.01  # of the window, that each state must hold
STATES = ("calm", "trend", "shock")
LOGLIK, AGREEMENT, ALARM_MEMORY = 15, 60, 15
STATE_NAMES = (
    *(f"hmm_prob_{state}" for state in STATES),
    "hmm_state_duration",
    "hmm_switch_prob",
    "hmm_entropy",
    "hmm_loglik",
    "hmm_agreement",
)
CHANGE_NAMES = (
    "bocpd_run_length",
    "bocpd_expected_run",
    "bocpd_change_prob",
    "cusum_up",
    "cusum_down",
    "cusum_alarm",
    "cusum_bars_since_alarm",
)
HAMILTON = "Hamilton (1989); EM as in hmmlearn's GaussianHMM"
ADAMS = "Adams & MacKay (2007), Algorithm 1"
PAGE = "Page (1954)"


def columns(domain: Domain) -> Iterable[Column]:
    yield from _state_columns(state_warmup(domain))
    yield from _change_columns(change_warmup(domain))


def state_warmup(domain: Domain) -> int:
    """Bars before an anchor that the 7,200 observations of the model need."""
    return FIT + domain.r + VOLATILITY - 1


def change_warmup(domain: Domain) -> int:
    """Bars before an anchor that 7,200 moves need."""
    return FIT + domain.r


def weekly(
    name: str, unit: str, formula: str, warmup: int, low: float, high: float, source: str, constant: str | None = None
) -> Column:
    """A column of a model that is fitted every Sunday."""
    return Column(
        name,
        unit,
        formula,
        warmup,
        lookback=warmup + WEEK,
        low=low,
        high=high,
        source=source,
        anchor="week",
        may_be_constant=constant,
    )


def _state_columns(warmup: int) -> Iterable[Column]:
    model = "3-state Gaussian HMM of (ret_5 in bp, ln(0.1 + std_15(r) in bp)) fitted before the week"
    for state, band in zip(STATES, ("lowest", "middle", "highest"), strict=True):
        formula = f"P(state of {band} volatility | observations to t), {model}"
        yield weekly(f"hmm_prob_{state}", "probability", formula, warmup, 0, 1, HAMILTON)
    formula = "bars since the most likely state changed, at most 1440"
    yield weekly("hmm_state_duration", "bars", formula, warmup, 0, DAY, HAMILTON)
    formula = "1 - sum_k p_k A_kk, p the filtered probabilities, A the transitions"
    yield weekly("hmm_switch_prob", "probability", formula, warmup, 0, 1, HAMILTON)
    yield weekly("hmm_entropy", "share", "-sum_k p_k ln p_k / ln 3", warmup, 0, 1, HAMILTON)
    formula = "mean_15 of ln p(y[t] | y before t), clipped to [-100, 100]"
    yield weekly("hmm_loglik", "nats", formula, warmup, -100, 100, HAMILTON)
    formula = "share of the last 60 bars in the present most likely state"
    yield weekly("hmm_agreement", "share", formula, warmup, 1 / AGREEMENT, 1, HAMILTON)


def _change_columns(warmup: int) -> Iterable[Column]:
    runs = "run: bars since a change of mean and variance of r, hazard 1/100, 240 for 240 or more"
    yield weekly("bocpd_run_length", "bars", f"most likely run; {runs}", warmup, 0, LONGEST, ADAMS)
    yield weekly("bocpd_expected_run", "bars", f"sum_l l P(run = l); {runs}", warmup, 0, LONGEST, ADAMS)
    yield weekly("bocpd_change_prob", "probability", f"P(run < {RECENT}); {runs}", warmup, 0, 1, ADAMS)
    up = "S = max(0, S + r/std - 0.5), 0 after an alarm, which is S > 5; std of r in the fit window"
    yield weekly("cusum_up", "std", up, warmup, 0, ALARM, PAGE)
    yield weekly("cusum_down", "std", up.replace("S + r/std", "S - r/std"), warmup, 0, ALARM, PAGE)
    formula = "+1 or -1 for the latest alarm of cusum_up or cusum_down in t-14..t, else 0"
    quiet = "a month without an alarm is possible"
    yield weekly("cusum_alarm", "category", formula, warmup, -1, 1, PAGE, quiet)
    formula = "bars since the latest alarm, at most 1440, which also stands for none"
    yield weekly("cusum_bars_since_alarm", "bars", formula, warmup, 0, DAY, PAGE, quiet)


def compute(view: View) -> Columns:
    out = {name: np.full(len(view), np.nan) for name in (*STATE_NAMES, *CHANGE_NAMES)}
    for week in weeks(view.ts, view.first, change_warmup(view.domain)):
        fill(view, out, week, CHANGE_NAMES, change_points(10_000.0 * view.r, week))
        if week.begin >= state_warmup(view.domain):
            fill(view, out, week, STATE_NAMES, states(*view.shared(observed_moves), week))
    return out


def fill(view: View, out: Columns, week: Week, names: tuple[str, ...], values: tuple[Floats, ...] | None) -> None:
    """Write the columns of a week into ``out``, or report a failed fit where there are none."""
    if values is None:
        failed = np.zeros(len(view), np.bool_)
        failed[week.bars] = True
        view.miss(Reason.FAILED_FIT, failed, names)
        return
    for name, column in zip(names, values, strict=True):
        out[name][week.bars] = column


def observed_moves(view: View) -> tuple[Floats, Floats]:
    """(ret_5 in bp, ln(0.1 + std_15(r) in bp))."""
    return observations(view.x, view.shared(volatility, VOLATILITY))


# -- the hidden Markov model -----------------------------------------------------------------------------------------


class Regimes(NamedTuple):
    """A fitted model whose states are ordered by volatility, and the share of the window that each holds."""

    model: Model
    shares: Floats

    @property
    def failed(self) -> bool:
        """Whether a parameter is not finite, or a state holds too small a share of the window."""
        finite = all(np.isfinite(part).all() for part in (*self.model, self.shares))
        return not finite or bool(self.shares.min() < LEAST_SHARE)


def start_model(change: Floats, level: Floats) -> Model:
    """Three equal parts of the stable sort by ``level``: their means and population variances, at least 1e-3."""
    parts = np.array_split(np.argsort(level, kind="stable"), 3)
    y = np.stack([change, level], axis=1)
    means = np.array([y[part].mean(axis=0) for part in parts])
    variances = np.maximum(np.array([y[part].var(axis=0) for part in parts]), LEAST_VARIANCE)
    return np.full(3, 1.0 / 3.0), np.full((3, 3), 0.01) + 0.97 * np.eye(3), means, variances


def fit_regimes(change: Floats, level: Floats) -> Regimes:
    """The model after 100 EM steps on one window of observations.

    A window of constant volatility fails, as constant moves fail GARCH: it has no bands, and three equal states are a
    fixed point of EM that only rounding leaves.
    """
    if is_constant(level.max(), level.min()):
        return Regimes(start_model(change, level), np.zeros(3))
    (start, transitions, means, variances), shares = fit_hmm(change, level, start_model(change, level), STEPS)
    order = np.argsort(means[:, 1], kind="stable")
    model = start[order], np.ascontiguousarray(transitions[np.ix_(order, order)]), means[order], variances[order]
    return Regimes(model, shares[order])


def states(change: Floats, level: Floats, week: Week) -> tuple[Floats, ...] | None:
    """The columns ``STATE_NAMES`` of a week, or None if its fit failed."""
    window, filtered = week.before(FIT), week.back(RUN_IN)
    fitted = fit_regimes(change[window].copy(), level[window].copy())
    if fitted.failed:
        return None
    _, transitions, means, variances = fitted.model
    model = np.full(3, 1.0 / 3.0), transitions, means, variances
    p, densities = filter_hmm(change[filtered].copy(), level[filtered].copy(), model)
    state = likeliest(p)
    values = (
        p[0],
        p[1],
        p[2],
        bars_since_change(state, DAY),
        switch_probability(p, transitions),
        entropy(p),
        np.clip(rolling_mean(densities, LOGLIK), -100.0, 100.0),
        share_alike(state, AGREEMENT),
    )
    return tuple(column[RUN_IN:] for column in values)


# -- change points ---------------------------------------------------------------------------------------------------


def change_points(r: Floats, week: Week) -> tuple[Floats, ...] | None:
    """The columns ``CHANGE_NAMES`` of a week from r in bp, or None if r does not move in the fit window."""
    mean, std = location_and_scale(r[week.before(FIT)].copy())
    if std == 0.0:
        return None
    moves = r[week.back(RUN_IN)]
    up, down, alarm = cusum(moves / std)
    values = *detect_runs((moves - mean) / std, RUN_IN), up, down, *recent_alarm(alarm, ALARM_MEMORY, DAY)
    return tuple(column[RUN_IN:] for column in values)


FAMILY = Family("hmm_regime", columns, compute, domains=BOTH)
