"""Cointegration of each pair with two pairs of its currencies and their sisters, refitted every full UTC hour."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.clock import HOUR
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import Reason
from fxloom.features.panel_view import CARRY, PanelView
from fxloom.kernels.johansen import ADJUSTMENT, FIRST, MEANS, PHI, SECOND, STD, VALUES, johansen_fits
from fxloom.series.panel import BP
from fxloom.series.siblings import system_of

WINDOW = 1_440  # panel-clock bars of a fit
LEVELS = WINDOW - 2  # bars that enter the fit: a change and the one before it are lost
CRITICAL = (29.7961, 15.4943, 3.8415)  # 95 % of the trace statistics of ranks 0, 1, 2 for det_order 0: MacKinnon (1996)
LAST = {"rate": 1e-8, "bqx": 1e-12}  # an error or a change of it below this is rounding
LONGEST = 1_440.0  # bars; longer half-lives are clipped
SOURCE = "Johansen (1991), as statsmodels' coint_johansen(det_order=0, k_ar_diff=1)"
NAMES = (
    "coint_ect", "coint_ect2", "coint_ect_z", "coint_velocity", "coint_accel", "coint_half_life", "coint_adjustment",
    "coint_beta_1", "coint_beta_2", "coint_trace_ratio", "coint_rank", "coint_inbound",
)  # fmt: skip


def columns(domain: Domain) -> Iterable[Column]:
    warmup = WINDOW + domain.series(75)
    reads = warmup + HOUR + CARRY
    for name, unit, formula, low, high in _declared(domain):
        yield Column(name, unit, formula, warmup, lookback=reads, low=low, high=high, source=SOURCE, anchor="hour")


def _declared(domain: Domain) -> Iterable[tuple[str, str, str, float, float]]:
    rate = domain is RATE
    unit = "bp" if rate else "sum of relative changes"
    y = "(ln C of the pair, of X/Z1, of Y/Z2)" if rate else "(m_75 of the pair, of X/Z1, of Y/Z2)"
    yield "coint_ect", unit, f"e = beta'y - its mean over {WINDOW} bars, beta the first vector, y = {y}", -inf, inf
    yield "coint_ect2", unit, "the same for the second vector", -inf, inf
    yield "coint_ect_z", "deviations", f"e / its std over the {WINDOW} bars of the fit", -inf, inf
    yield "coint_velocity", unit, "e[t] - e[t-20]", -inf, inf
    yield "coint_accel", unit, "e[t] - 2 e[t-10] + e[t-20]", -inf, inf
    yield "coint_half_life", "bars", "-ln 2 / ln phi, phi the AR(1) coefficient of e in the fit", 0.0, LONGEST
    yield "coint_adjustment", "1/bar", "OLS coefficient of the pair's change of y on e[t-1] in the fit", -inf, inf
    yield "coint_beta_1", "weight", "weight of X/Z1 in beta; absolute weights sum to 1", -1.0, 1.0
    yield "coint_beta_2", "weight", "weight of Y/Z2 in beta; absolute weights sum to 1", -1.0, 1.0
    yield "coint_trace_ratio", "ratio", f"trace statistic of rank 0 / {CRITICAL[0]} (95 %)", 0.0, inf
    if rate:
        yield "coint_rank", "count", "rank by sequential trace tests at 95 %", 0.0, 3.0
    else:
        yield "coint_rank", "effective number", "exp(entropy of the shares of the three eigenvalues)", 1.0, 3.0
    yield "coint_inbound", "flag", "1 if e and e[t] - e[t-20] have strictly opposite signs", 0.0, 1.0


def compute(view: PanelView) -> Columns:
    shape = view.price.shape
    out = {name: np.full(shape, np.nan) for name in NAMES}
    absent, failed = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for p, pair in enumerate(view.pairs):
        legs = system_of(pair)
        if not all(leg in view.pairs for leg in legs):
            absent[p] = True
            continue
        rows = [view.pairs.index(leg) for leg in legs]
        absent[p] = ~view.present[rows].all(axis=0)
        for name, values in _corrections(view, rows, absent[p], failed[p]).items():
            out[name][p, view.first :] = np.where(absent[p, view.first :], np.nan, values + 0.0)
    view.miss(Reason.ABSENT, absent, NAMES)
    view.miss(Reason.FAILED_FIT, failed & ~absent, NAMES)
    return out


def levels(view: PanelView) -> Floats:
    """The levels that are cointegrated: ln C in rate, m_75 in bqx."""
    return np.log(view.close_index) if view.domain is RATE else view.momentum(75)


def _corrections(view: PanelView, legs: list[int], absent: Flags, failed: Flags) -> Columns:
    """The columns of one pair from the view's first row on; marks rows without a fit in ``absent`` and ``failed``."""
    y = np.ascontiguousarray(view.shared(levels)[legs])
    ts = view.ts
    hours, which = np.unique(ts[view.first :] // HOUR, return_inverse=True)
    ends = np.searchsorted(ts, hours * HOUR).astype(np.int64)
    fits = johansen_fits(y, ends, WINDOW)
    held = _whole(y, ends)
    absent[view.first :] |= ~held[which] & (ends[which] >= WINDOW)
    failed[view.first :] = (held & np.isnan(fits[:, VALUES]))[which]
    return _errors(view, y, fits[which]) | _described(view, fits, which)


def _whole(y: Floats, ends: Ints) -> Flags:
    """Whether the window before each of ``ends`` has all values of all legs (ends)."""
    known = np.concatenate([[0], np.cumsum(~np.isnan(y).any(axis=0))])
    whole: Flags = known[ends] - known[np.maximum(ends - WINDOW, 0)] == WINDOW
    return whole


def _errors(view: PanelView, y: Floats, fits: Floats) -> Columns:
    """The columns that change from bar to bar, by the vectors in force at each row."""
    scale, rounding = (BP, LAST["rate"]) if view.domain is RATE else (1.0, LAST["bqx"])
    now, before, long_before = (_at(y, view.first, lag) for lag in (0, 10, 20))

    def weighed(vector: int, series: Floats) -> Floats:
        value = sum(fits[:, vector + i] * series[i] for i in range(3))
        return np.where(np.abs(scale * value) < rounding, 0.0, scale * value)

    centred = now - fits[:, MEANS : MEANS + 3].T
    error, velocity = weighed(FIRST, centred), weighed(FIRST, now - long_before)
    return {
        "coint_ect": error,
        "coint_ect2": weighed(SECOND, centred),
        "coint_ect_z": error / (scale * fits[:, STD]),
        "coint_velocity": velocity,
        "coint_accel": weighed(FIRST, (now - before) - (before - long_before)),
        "coint_inbound": np.where(np.isnan(error + velocity), np.nan, error * velocity < 0.0),
    }


def _at(y: Floats, first: int, lag: int) -> Floats:
    """y at ``lag`` bars before every row from ``first`` on."""
    positions = np.arange(first, y.shape[1]) - lag
    return np.where(positions >= 0, y[:, np.maximum(positions, 0)], np.nan)


def _described(view: PanelView, fits: Floats, which: Ints) -> Columns:
    """The columns that are constant within an hour."""
    values = fits[:, VALUES : VALUES + 3]
    with np.errstate(invalid="ignore", divide="ignore"):
        traces = -LEVELS * np.cumsum(np.log1p(-values)[:, ::-1], axis=1)[:, ::-1]
        half_life = np.clip(-np.log(2.0) / np.log(np.clip(fits[:, PHI], 0.0, 1.0)), 0.0, LONGEST)
    half_life[fits[:, PHI] >= 1.0] = LONGEST
    half_life[fits[:, PHI] <= 0.0] = 0.0
    hourly = {
        "coint_half_life": half_life,
        "coint_adjustment": fits[:, ADJUSTMENT],
        "coint_beta_1": fits[:, FIRST + 1],
        "coint_beta_2": fits[:, FIRST + 2],
        "coint_trace_ratio": traces[:, 0] / CRITICAL[0],
        "coint_rank": _rank(traces) if view.domain is RATE else _effective_number(values),
    }
    return {name: column[which] for name, column in hourly.items()}


def _rank(traces: Floats) -> Floats:
    """Trace tests in sequence at 95 %, until the first that is not exceeded."""
    exceeded = np.cumprod(traces > np.array(CRITICAL), axis=1).sum(axis=1).astype(np.float64)
    return np.where(np.isnan(traces[:, 0]), np.nan, exceeded)


def _effective_number(values: Floats) -> Floats:
    shares = np.clip(values, 0.0, None) / np.clip(values, 0.0, None).sum(axis=1, keepdims=True)
    logs = np.log(np.where(shares > 0.0, shares, 1.0))
    number: Floats = np.exp(-(shares * logs).sum(axis=1))
    return np.clip(number, 1.0, 3.0)


FAMILY = Family("error_correction", columns, compute, domains=BOTH, scope="panel")
