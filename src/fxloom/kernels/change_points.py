"""Change points: Bayesian online detection by Adams & MacKay (2007), Algorithm 1, and the two-sided CUSUM.

The normal-inverse-gamma prior has kappa0 = alpha0 = 1, so that after a run of l bars kappa = 1 + l and
alpha = 1 + l / 2, and the predictive density of x is a ratio of two evidences:
p(x | run l) = c_l beta^alpha / beta'^(alpha + 1/2), beta' being beta updated by x. Its only costly parts are one
logarithm and one exponential per run, and the loops below vectorise over runs.
"""

from __future__ import annotations

import math

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.elementary import exponential, logarithm
from fxloom.kernels.flatness import is_constant
from fxloom.kernels.jit import jit

LONGEST = 240  # the longest run: 240 bars or more
HAZARD = 0.01
RECENT = 15  # a change is recent if the run is shorter than this
RUNS = 248  # LONGEST + 1 rounded up to whole vectors; runs above LONGEST have probability 0
ALARM, DRIFT = 5.0, 0.5

# By run l: ln c_l, c_l = Gamma(alpha + 1/2) / Gamma(alpha) sqrt(kappa / (2 pi (kappa + 1))), and weights of an update.
LENGTH = np.arange(RUNS).astype(np.float64)
_KAPPA = 1.0 + LENGTH
ALPHA = 1.0 + 0.5 * LENGTH
LEVEL: Floats = np.array([math.lgamma(a + 0.5) - math.lgamma(a) for a in ALPHA]) + 0.5 * np.log(
    _KAPPA / (2.0 * np.pi * (_KAPPA + 1.0))
)
GAIN: Floats = 1.0 / (_KAPPA + 1.0)
SPREAD: Floats = 0.5 * _KAPPA / (_KAPPA + 1.0)


@jit
def update_betas(x: float, mean: Floats, beta: Floats, spread: Floats, out: Floats) -> None:
    """out = beta of each run after ``x``."""
    for l in range(RUNS):
        d = x - mean[l]
        out[l] = beta[l] + spread[l] * (d * d)


@jit
def weigh_runs(p: Floats, level: Floats, alpha: Floats, before: Floats, after: Floats, out: Floats) -> None:
    """out = p times the predictive density; ``before`` and ``after`` are the logarithms of beta."""
    for l in range(RUNS):
        out[l] = p[l] * exponential(level[l] + alpha[l] * before[l] - (alpha[l] + 0.5) * after[l])


@jit
def take_logarithms(x: Floats, out: Floats) -> None:
    """out = ln(x) of RUNS values."""
    for l in range(RUNS):
        out[l] = logarithm(x[l])


@jit
def grow(source: Floats, out: Floats, factor: float) -> None:
    """out[l + 1] = factor * source[l]: a run of l bars grows to l + 1."""
    for l in range(LONGEST):
        out[l + 1] = factor * source[l]


@jit
def grow_means(x: float, mean: Floats, gain: Floats, out: Floats) -> None:
    """out[l + 1] = the mean of run l after ``x``."""
    for l in range(LONGEST):
        out[l + 1] = mean[l] + (x - mean[l]) * gain[l]


@jit
def lane_sum(values: Floats) -> float:
    """The sum of RUNS values in eight lanes."""
    a = b = c = d = e = f = g = h = 0.0
    for l in range(0, RUNS, 8):
        a, b, c, d = a + values[l], b + values[l + 1], c + values[l + 2], d + values[l + 3]
        e, f, g, h = e + values[l + 4], f + values[l + 5], g + values[l + 6], h + values[l + 7]
    return ((a + e) + (b + f)) + ((c + g) + (d + h))


@jit
def lane_dot(a: Floats, b: Floats) -> float:
    """The sum of RUNS products in eight lanes."""
    s = t = u = v = w = x = y = z = 0.0
    for l in range(0, RUNS, 8):
        s, t = s + a[l] * b[l], t + a[l + 1] * b[l + 1]
        u, v = u + a[l + 2] * b[l + 2], v + a[l + 3] * b[l + 3]
        w, x = w + a[l + 4] * b[l + 4], x + a[l + 5] * b[l + 5]
        y, z = y + a[l + 6] * b[l + 6], z + a[l + 7] * b[l + 7]
    return ((s + w) + (t + x)) + ((u + y) + (v + z))


@jit
def observe(x: float, now: Floats, then: Floats, work: Floats) -> None:
    """One bar of Algorithm 1, from state ``now`` to ``then`` (4, RUNS): mean, beta, ln beta and probability by run."""
    betas, logs, joint = work[0], work[1], work[2]
    update_betas(x, now[0], now[1], SPREAD, betas)
    take_logarithms(betas, logs)
    weigh_runs(now[3], LEVEL, ALPHA, now[2], logs, joint)
    share = (1.0 - HAZARD) / lane_sum(joint)
    grow_means(x, now[0], GAIN, then[0])
    grow(betas, then[1], 1.0)
    grow(logs, then[2], 1.0)
    grow(joint, then[3], share)
    then[3, LONGEST] += share * joint[LONGEST]
    then[3, 0] = HAZARD


@jit
def longest_weight(p: Floats) -> int:
    """The run with the largest p, the shortest on a tie."""
    best = 0
    for l in range(1, LONGEST + 1):
        if p[l] > p[best]:
            best = l
    return best


@jit
def detect_runs(x: Floats, first: int) -> tuple[Floats, Floats, Floats]:
    """Most likely run, expected run (bars) and P(run < 15) after each bar, each (n); NaN before row ``first``.

    ``x`` (n) is standardised: the prior is mu0 = 0, beta0 = 1, and the run before the first bar has length 0.
    """
    n = len(x)
    likely, expected, recent = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    now, then, work = np.zeros((4, RUNS)), np.zeros((4, RUNS)), np.ones((3, RUNS))
    now[1], then[1], now[3, 0] = 1.0, 1.0, 1.0
    for t in range(n):
        observe(x[t], now, then, work)
        now, then = then, now
        if t >= first:
            likely[t] = longest_weight(now[3])
            expected[t] = lane_dot(now[3], LENGTH)
            recent[t] = now[3, :RECENT].sum()
    return likely, expected, recent


@jit
def cusum(z: Floats) -> tuple[Floats, Floats, Floats]:
    """The upper and lower CUSUM of ``z`` after each bar, and the alarm (+1, -1, else 0), after which a CUSUM is 0."""
    n, high, low = len(z), 0.0, 0.0
    up, down, alarm = np.empty(n), np.empty(n), np.zeros(n)
    for t in range(n):
        high, low = max(0.0, high + z[t] - DRIFT), max(0.0, low - z[t] - DRIFT)
        if high > ALARM:
            high, alarm[t] = 0.0, 1.0
        if low > ALARM:
            low, alarm[t] = 0.0, -1.0
        up[t], down[t] = high, low
    return up, down, alarm


@jit
def recent_alarm(alarm: Floats, window: int, cap: int) -> tuple[Floats, Floats]:
    """The latest alarm of the last ``window`` bars (0: none), and bars since an alarm, ``cap`` at most or if none."""
    n, since, sign = len(alarm), cap, 0.0
    latest, bars = np.empty(n), np.empty(n)
    for t in range(n):
        since = min(since + 1, cap)
        if alarm[t] != 0.0:
            since, sign = 0, alarm[t]
        latest[t], bars[t] = sign if since < window else 0.0, since
    return latest, bars


@jit
def location_and_scale(r: Floats) -> tuple[float, float]:
    """Mean and std (ddof 1); the std of a constant series is exactly 0."""
    n, newest, high, low, total, squares = len(r), r[len(r) - 1], -np.inf, np.inf, 0.0, 0.0
    for value in r:
        high, low, total = max(high, value), min(low, value), total + (value - newest)
    mean = newest + total / n
    if is_constant(high, low):
        return mean, 0.0
    for value in r:
        squares += (value - mean) * (value - mean)
    return mean, np.sqrt(squares / (n - 1))
