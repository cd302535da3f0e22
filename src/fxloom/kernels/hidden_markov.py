"""A hidden Markov model of three states with Gaussian observations of two independent components.

Baum and Welch's EM with hmmlearn's M-step. The E-step runs on densities scaled by the largest of each row, which
takes a tenth of the time of logarithms. Where the scaled filter and the scaled smoother disagree so much that
underflow might matter, the step is repeated in logarithms.

Arrays: observations are two columns of length n, probabilities have shape (3, n); ``means`` and ``variances`` are
(3, 2), ``transitions`` (3, 3) from row to column.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.elementary import exponential
from fxloom.kernels.jit import jit
from fxloom.kernels.tolerances import ZERO_CHANGE

COVARS_PRIOR = 0.01  # hmmlearn's prior of the variances
LN_2PI = 1.8378770664093453
LN_3 = 1.0986122886681098
LANES = 32
TRUSTED = 1e-100  # smallest weight of a row at which the scaled E-step is trusted

Model = tuple[Floats, Floats, Floats, Floats]  # start, transitions, means, variances


@jit
def log_densities(first: Floats, second: Floats, means: Floats, variances: Floats, out: Floats) -> None:
    """out[k, t] = ln of the density of observation t in state k."""
    for k in range(3):
        row, m1, m2 = out[k], means[k, 0], means[k, 1]
        half1, half2 = 0.5 / variances[k, 0], 0.5 / variances[k, 1]
        level = -LN_2PI - 0.5 * (np.log(variances[k, 0]) + np.log(variances[k, 1]))
        for t in range(len(first)):
            d1, d2 = first[t] - m1, second[t] - m2
            row[t] = level - d1 * d1 * half1 - d2 * d2 * half2


@jit
def scale_row(logs: Floats, peak: Floats, out: Floats) -> None:
    """out[t] = exp(logs[t] - peak[t])."""
    for t in range(len(peak)):
        out[t] = exponential(logs[t] - peak[t])


@jit
def scale_densities(logs: Floats, peak: Floats, out: Floats) -> None:
    """out[k, t] = the density in state k over the largest of row t."""
    l0, l1, l2 = logs[0], logs[1], logs[2]
    for t in range(len(peak)):
        top = l0[t] if l0[t] > l1[t] else l1[t]
        peak[t] = l2[t] if l2[t] > top else top
    for k in range(3):
        scale_row(logs[k], peak, out[k])


@jit
def scaled_filter(b: Floats, start: Floats, transitions: Floats, alpha: Floats) -> None:
    """alpha[k, t] in proportion to P(state k at t, observations to t); normalised every fourth row only.

    The sum of a row is then a product of at most eight shares, each at most 1. Its reciprocal is used one row later
    than it could be, so that the next row need not wait for the division.
    """
    a = transitions
    b0, b1, b2, f0, f1, f2 = b[0], b[1], b[2], alpha[0], alpha[1], alpha[2]
    x, y, z = start[0] * b0[0], start[1] * b1[0], start[2] * b2[0]
    total = x + y + z
    x, y, z, scale = x / total, y / total, z / total, 1.0
    f0[0], f1[0], f2[0] = x, y, z
    for t in range(1, len(b0)):
        p = x * a[0, 0] + y * a[1, 0] + z * a[2, 0]
        q = x * a[0, 1] + y * a[1, 1] + z * a[2, 1]
        r = x * a[0, 2] + y * a[1, 2] + z * a[2, 2]
        x, y, z = p * (b0[t] * scale), q * (b1[t] * scale), r * (b2[t] * scale)
        scale = 1.0 if t & 3 else 1.0 / (x + y + z)
        f0[t], f1[t], f2[t] = x, y, z


@jit
def scaled_smoother(b: Floats, transitions: Floats, alpha: Floats, gamma: Floats, moves: Floats) -> float:
    """Posteriors gamma[k, t] and expected moves (3, 3) from the filter; returns the smallest weight of a row."""
    a = transitions
    b0, b1, b2, f0, f1, f2 = b[0], b[1], b[2], alpha[0], alpha[1], alpha[2]
    g0, g1, g2 = gamma[0], gamma[1], gamma[2]
    n = len(b0)
    m00 = m01 = m02 = m10 = m11 = m12 = m20 = m21 = m22 = 0.0
    weight = f0[n - 1] + f1[n - 1] + f2[n - 1]
    g0[n - 1], g1[n - 1], g2[n - 1] = f0[n - 1] / weight, f1[n - 1] / weight, f2[n - 1] / weight
    lowest, x, y, z, scale = weight, 1.0, 1.0, 1.0, 1.0
    for i in range(1, n):
        t = n - 1 - i
        u, v, w = b0[t + 1] * x, b1[t + 1] * y, b2[t + 1] * z
        p = a[0, 0] * u + a[0, 1] * v + a[0, 2] * w
        q = a[1, 0] * u + a[1, 1] * v + a[1, 2] * w
        r = a[2, 0] * u + a[2, 1] * v + a[2, 2] * w
        weight = f0[t] * p + f1[t] * q + f2[t] * r
        lowest = lowest if lowest < weight else weight
        share = 1.0 / weight
        e, f, g = f0[t] * share, f1[t] * share, f2[t] * share
        g0[t], g1[t], g2[t] = e * p, f * q, g * r
        m00, m01, m02 = m00 + e * u, m01 + e * v, m02 + e * w
        m10, m11, m12 = m10 + f * u, m11 + f * v, m12 + f * w
        m20, m21, m22 = m20 + g * u, m21 + g * v, m22 + g * w
        x, y, z = p * scale, q * scale, r * scale
        scale = 1.0 if i & 3 else 1.0 / (x + y + z)
    moves[0, 0], moves[0, 1], moves[0, 2] = m00 * a[0, 0], m01 * a[0, 1], m02 * a[0, 2]
    moves[1, 0], moves[1, 1], moves[1, 2] = m10 * a[1, 0], m11 * a[1, 1], m12 * a[1, 2]
    moves[2, 0], moves[2, 1], moves[2, 2] = m20 * a[2, 0], m21 * a[2, 1], m22 * a[2, 2]
    return float(lowest)


@jit
def log_sum(a: float, b: float, c: float) -> float:
    """ln(e^a + e^b + e^c)."""
    top = max(a, b, c)
    if top == -np.inf:
        return -np.inf
    total = np.exp(a - top) + np.exp(b - top) + np.exp(c - top)
    return float(top + np.log(total))


@jit
def log_filter(logs: Floats, start: Floats, transitions: Floats, out: Floats, densities: Floats) -> None:
    """out[k, t] = ln P(state k at t | observations to t); densities[t] = ln p(observation t | those before it)."""
    ways = np.log(transitions)
    for t in range(logs.shape[1]):
        for k in range(3):
            past = np.log(start[k])
            if t > 0:
                past = log_sum(out[0, t - 1] + ways[0, k], out[1, t - 1] + ways[1, k], out[2, t - 1] + ways[2, k])
            out[k, t] = past + logs[k, t]
        densities[t] = log_sum(out[0, t], out[1, t], out[2, t])
        for k in range(3):
            out[k, t] -= densities[t]


@jit
def log_smoother(logs: Floats, transitions: Floats, alpha: Floats, densities: Floats, gamma: Floats) -> Floats:
    """Posteriors into gamma[k, t]; returns expected moves (3, 3), from ``log_filter``'s logarithms."""
    ways, moves, n = np.log(transitions), np.zeros((3, 3)), logs.shape[1]
    later, beta = np.zeros(3), np.zeros(3)
    for k in range(3):
        gamma[k, n - 1] = np.exp(alpha[k, n - 1])
    for t in range(n - 2, -1, -1):
        for k in range(3):
            later[k] = beta[k] + logs[k, t + 1] - densities[t + 1]
        for j in range(3):
            beta[j] = log_sum(ways[j, 0] + later[0], ways[j, 1] + later[1], ways[j, 2] + later[2])
            gamma[j, t] = np.exp(alpha[j, t] + beta[j])
            for k in range(3):
                moves[j, k] += np.exp(alpha[j, t] + ways[j, k] + later[k])
    return moves


@jit
def expect(
    logs: Floats, start: Floats, transitions: Floats, b: Floats, alpha: Floats, gamma: Floats, moves: Floats
) -> None:
    """The E-step: posteriors into gamma[k, t], expected moves into (3, 3)."""
    scale_densities(logs, gamma[0], b)  # gamma holds the rows' peaks until it is filled
    scaled_filter(b, start, transitions, alpha)
    lowest = scaled_smoother(b, transitions, alpha, gamma, moves)
    if not lowest >= TRUSTED:
        log_filter(logs, start, transitions, alpha, b[0])
        moves[:] = log_smoother(logs, transitions, alpha, b[0], gamma)


@jit
def weighted_sums(y: Floats, weights: Floats, centre: float, lanes: Floats) -> tuple[float, float, float]:
    """Sums of w, w d and w d^2, d = y - centre: in the lanes of ``lanes`` (3, L) first, so that they vectorise."""
    mass, total, squares = lanes[0], lanes[1], lanes[2]
    mass[:], total[:], squares[:] = 0.0, 0.0, 0.0
    width = len(mass)
    for begin in range(0, len(y), width):
        d, w = y[begin : begin + width], weights[begin : begin + width]
        for i in range(len(d)):
            mass[i] += w[i]
        for i in range(len(d)):
            total[i] += w[i] * (d[i] - centre)
        for i in range(len(d)):
            squares[i] += w[i] * ((d[i] - centre) * (d[i] - centre))
    return mass.sum(), total.sum(), squares.sum()


@jit
def maximise(y: Floats, gamma: Floats, means: Floats, variances: Floats, lanes: Floats) -> None:
    """Mean and variance of one component in every state, from sums about its mean of the step before."""
    for k in range(3):
        mass, total, squares = weighted_sums(y, gamma[k], means[k], lanes)
        means[k] += total / mass
        variances[k] = (COVARS_PRIOR + max(squares - total * total / mass, 0.0)) / max(mass, 1e-5)


@jit
def fit_hmm(first: Floats, second: Floats, start_model: Model, steps: int) -> tuple[Model, Floats]:
    """The model after exactly ``steps`` EM steps from ``start_model``, and the states' mean posteriors under it."""
    start, transitions = start_model[0].copy(), start_model[1].copy()
    means, variances = start_model[2].copy(), start_model[3].copy()
    n, moves, lanes = len(first), np.empty((3, 3)), np.empty((3, LANES))
    logs, b, alpha, gamma = np.empty((3, n)), np.empty((3, n)), np.empty((3, n)), np.empty((3, n))
    for step in range(steps + 1):
        log_densities(first, second, means, variances, logs)
        expect(logs, start, transitions, b, alpha, gamma, moves)
        if step == steps:
            break
        start[:] = gamma[:, 0] / gamma[:, 0].sum()
        for k in range(3):
            transitions[k] = moves[k] / moves[k].sum()
        maximise(first, gamma, means[:, 0], variances[:, 0], lanes)
        maximise(second, gamma, means[:, 1], variances[:, 1], lanes)
    held = np.array([gamma[0].sum() / n, gamma[1].sum() / n, gamma[2].sum() / n])
    return (start, transitions, means, variances), held


@jit
def filter_hmm(first: Floats, second: Floats, model: Model) -> tuple[Floats, Floats]:
    """Filtered probabilities (3, n) and the one-step predictive log densities (n), in logarithms throughout."""
    logs, out = np.empty((3, len(first))), np.empty((3, len(first)))
    densities = np.empty(len(first))
    log_densities(first, second, model[2], model[3], logs)
    log_filter(logs, model[0], model[1], out, densities)
    return np.exp(out), densities


@jit
def observations(x: Floats, volatility: Floats) -> tuple[Floats, Floats]:
    """(ret_5 in bp, ln(0.1 + volatility in bp)), each (n); ret_5 is NaN in the first five rows."""
    n = len(x)
    change, level = np.full(n, np.nan), np.empty(n)
    for t in range(n):
        level[t] = np.log(0.1 + 10_000.0 * volatility[t])
        if t >= 5:
            value = np.log(x[t] / x[t - 5])
            change[t] = 0.0 if abs(value) < ZERO_CHANGE else 10_000.0 * value
    return change, level


@jit
def likeliest(p: Floats) -> Floats:
    """The most likely state at each time (n), the calmest on a tie; ``p`` (3, n)."""
    out = np.zeros(p.shape[1])
    for t in range(p.shape[1]):
        if p[1, t] > p[0, t]:
            out[t] = 1.0
        if p[2, t] > max(p[0, t], p[1, t]):
            out[t] = 2.0
    return out


@jit
def switch_probability(p: Floats, transitions: Floats) -> Floats:
    """1 - sum p_k A_kk (n): the probability of another state at the next bar; ``p`` (3, n)."""
    out = np.empty(p.shape[1])
    for t in range(p.shape[1]):
        stay = p[0, t] * transitions[0, 0] + p[1, t] * transitions[1, 1] + p[2, t] * transitions[2, 2]
        out[t] = min(max(1.0 - stay, 0.0), 1.0)
    return out


@jit
def entropy(p: Floats) -> Floats:
    """-sum p ln p / ln 3 (n) of ``p`` (3, n)."""
    out = np.empty(p.shape[1])
    for t in range(p.shape[1]):
        total = 0.0
        for k in range(3):
            if p[k, t] > 0.0:
                total -= p[k, t] * np.log(p[k, t])
        out[t] = min(max(total / LN_3, 0.0), 1.0)
    return out


@jit
def share_alike(state: Floats, window: int) -> Floats:
    """The share of each window in which the state was the same as at its end (n); NaN in the first window - 1 rows."""
    out = np.full(len(state), np.nan)
    for t in range(window - 1, len(state)):
        alike = 0
        for lag in range(window):
            if state[t - lag] == state[t]:
                alike += 1
        out[t] = alike / window
    return out
