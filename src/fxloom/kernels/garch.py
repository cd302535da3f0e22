"""GARCH(1,1) with constant mean and normal errors: likelihood, exact derivatives, and its constrained maximum.

Parameters are x = (mu, omega, alpha, beta). The maximum is sought in the polytope omega >= floor, alpha >= 0,
beta >= 0, alpha + beta <= 1 by Newton's method with an active set: a third of real fits end on alpha + beta = 1, so
the method must be able to converge on that edge.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.active_set import descent, face_basis, longest_step, project, put_on_sides, side_to_leave
from fxloom.kernels.flatness import is_constant
from fxloom.kernels.jit import jit

BACKCAST, DECAY = 75, 0.94
GRADIENT = 1e-10  # largest component of the projected gradient, per observation, of standardised returns
STEPS = 200  # Newton steps; more than twenty are rare
FLOOR = 1e-8  # least omega, as a share of the variance
TIE = 1e-9  # log-likelihoods closer than this are the same optimum
LN_2PI = 1.8378770664093453
NOISE = 1e-13  # a predicted gain below this share of the value is below its rounding
IDLE = 3  # steps without a gain after which rounding allows no more
HALVINGS = 40
NO_SIDES = np.zeros(4, np.bool_)


@jit
def backcast(deviations: Floats) -> float:
    """The variance before the first bar: mean of the first 75 squares, weighted 0.94^i."""
    total, weights, weight = 0.0, 0.0, 1.0
    for i in range(min(BACKCAST, len(deviations))):
        total += weight * deviations[i] * deviations[i]
        weights += weight
        weight *= DECAY
    return total / weights


@jit
def garch_variances(r: Floats, x: Floats, before: float) -> Floats:
    """Conditional variances h[0..n]: h[t] is the forecast for r[t] from the bars before it; ``before`` starts it."""
    out = np.empty(len(r) + 1)
    out[0] = x[1] + (x[2] + x[3]) * before
    for t in range(len(r)):
        e = r[t] - x[0]
        out[t + 1] = x[1] + x[2] * e * e + x[3] * out[t]
    return out


@jit
def cost(z: Floats, x: Floats, before: float) -> float:
    """Mean of (ln h + e^2 / h) / 2: the negative log-likelihood per observation, without ln(2 pi) / 2."""
    mu, omega, alpha, beta = x[0], x[1], x[2], x[3]
    h = omega + (alpha + beta) * before
    logs, squares, product = 0.0, 0.0, 1.0
    for t in range(len(z)):
        e = z[t] - mu
        e2 = e * e
        squares += e2 / h
        product *= h
        if t & 7 == 7:  # one logarithm for eight variances, which lie within 1e-9 and 1e5
            logs += np.log(product)
            product = 1.0
        h = omega + alpha * e2 + beta * h
    return float(0.5 * (logs + np.log(product) + squares) / len(z))


@jit
def derivatives(z: Floats, x: Floats, before: float, gradient: Floats, hessian: Floats, scoring: Floats) -> None:
    """Gradient, Hessian and Fisher's scoring matrix of ``cost``, exact, from the recursions of h's derivatives."""
    mu, omega, alpha, beta = x[0], x[1], x[2], x[3]
    h = omega + (alpha + beta) * before
    hm, hw, ha, hb = 0.0, 1.0, before, before  # dh by mu, omega, alpha, beta
    hmm = hma = hmb = hwb = hab = hbb = 0.0  # second derivatives; the others are 0
    g0 = g1 = g2 = g3 = 0.0
    s00 = s01 = s02 = s03 = s11 = s12 = s13 = s22 = s23 = s33 = 0.0
    q00 = q01 = q02 = q03 = q11 = q12 = q13 = q22 = q23 = q33 = 0.0
    for t in range(len(z)):
        e = z[t] - mu
        i, e2 = 1.0 / h, e * e
        q = e2 * i
        a, b, c, f = 0.5 * i * (1.0 - q), 0.5 * i * i * (2.0 * q - 1.0), e * i * i, 0.5 * i * i
        g0, g1, g2, g3 = g0 + (a * hm - e * i), g1 + a * hw, g2 + a * ha, g3 + a * hb
        bm, bw, ba, bb = b * hm + c, b * hw, b * ha, b * hb
        s00 += bm * hm + (c * hm + (a * hmm + i))
        s01, s02, s03 = s01 + bm * hw, s02 + (bm * ha + a * hma), s03 + (bm * hb + a * hmb)
        s11, s12, s13 = s11 + bw * hw, s12 + bw * ha, s13 + (bw * hb + a * hwb)
        s22, s23, s33 = s22 + ba * ha, s23 + (ba * hb + a * hab), s33 + (bb * hb + a * hbb)
        fm, fw, fa, fb = f * hm, f * hw, f * ha, f * hb
        q00, q01, q02, q03 = q00 + (fm * hm + i), q01 + fm * hw, q02 + fm * ha, q03 + fm * hb
        q11, q12, q13 = q11 + fw * hw, q12 + fw * ha, q13 + fw * hb
        q22, q23, q33 = q22 + fa * ha, q23 + fa * hb, q33 + fb * hb
        hmm, hma, hmb = 2.0 * alpha + beta * hmm, beta * hma - 2.0 * e, hm + beta * hmb
        hwb, hab, hbb = hw + beta * hwb, ha + beta * hab, 2.0 * hb + beta * hbb
        hm, hw, ha, hb = beta * hm - 2.0 * alpha * e, 1.0 + beta * hw, e2 + beta * ha, h + beta * hb
        h = omega + alpha * e2 + beta * h
    n = float(len(z))
    gradient[0], gradient[1], gradient[2], gradient[3] = g0 / n, g1 / n, g2 / n, g3 / n
    fill_symmetric(hessian, n, (s00, s01, s02, s03, s11, s12, s13, s22, s23, s33))
    fill_symmetric(scoring, n, (q00, q01, q02, q03, q11, q12, q13, q22, q23, q33))


@jit
def fill_symmetric(matrix: Floats, n: float, upper: tuple[float, ...]) -> None:
    """matrix = the symmetric (4, 4) matrix with these elements on and above the diagonal, over ``n``."""
    k = 0
    for i in range(4):
        for j in range(i, 4):
            matrix[i, j] = matrix[j, i] = upper[k] / n
            k += 1


@jit
def climb(z: Floats, before: float, floor: float, x: Floats) -> float:
    """Move ``x`` (inside the polytope) to a local minimum of ``cost`` there; returns the cost, NaN if not finite.

    Newton's method on the face of the active sides: a side that blocks a step becomes active; where the gradient
    along the face is 0, the side with the worst multiplier is left.
    """
    active, basis = np.zeros(4, np.bool_), np.zeros((4, 4))
    g, along, d, trial = np.zeros(4), np.zeros(4), np.zeros(4), np.zeros(4)
    hessian, scoring = np.zeros((4, 4)), np.zeros((4, 4))
    value, idle = cost(z, x, before), 0
    for _ in range(STEPS):
        derivatives(z, x, before, g, hessian, scoring)
        m = face_basis(active, basis)
        if project(basis, m, g, along) <= GRADIENT or idle > IDLE:
            side = side_to_leave(active, g, GRADIENT)
            if side < 0:
                break
            active[side], idle = False, 0
            m = face_basis(active, basis)
            project(basis, m, g, along)
        descent(hessian, scoring, basis, m, along, d)
        longest, blocking = longest_step(x, d, active, floor)
        gain = -(g[0] * d[0] + g[1] * d[1] + g[2] * d[2] + g[3] * d[3])
        noise = gain < NOISE * (1.0 + abs(value))
        step, value = line_search(z, before, floor, x, d, longest, -1.0 if noise else gain, value, trial)
        idle = idle + 1 if noise or step == 0.0 else 0
        if step == longest and blocking >= 0:
            active[blocking] = True
        x[:] = trial
        put_on_sides(x, active, floor)
    return value


@jit
def line_search(
    z: Floats, before: float, floor: float, x: Floats, d: Floats, longest: float, gain: float, value: float, out: Floats
) -> tuple[float, float]:
    """The longest of longest / 2^k with a sufficient gain (Armijo's rule; any step if ``gain`` is negative).

    Returns that step, 0 if there is none, and the cost there; ``out`` is set to the point.
    """
    step = longest
    for _ in range(HALVINGS):
        out[:] = x + step * d
        put_on_sides(out, NO_SIDES, floor)
        there = cost(z, out, before)
        if gain < 0.0 or there <= value - 1e-4 * step * gain:
            return step, there
        step *= 0.5
    out[:] = x
    return 0.0, value


@jit
def fit_garch(r: Floats) -> tuple[Floats, float, float]:
    """The most likely (mu, omega, alpha, beta), its log-likelihood, and the variance before the window.

    In units of ``r`` (n) and its square. All NaN where the window is constant or no start leads to a finite
    likelihood. The best of four starts wins, the first on a tie (1e-9 in the log-likelihood). Source: Bollerslev
    (1986); the likelihood is that of the arch package.
    """
    n, nothing = len(r), np.full(4, np.nan)
    mean = r.mean()
    z = r - mean
    if is_constant(r.max(), r.min()):
        return nothing, np.nan, np.nan
    std = np.sqrt((z * z).sum() / (n - 1))
    z /= std
    before, best, cheapest = backcast(z), nothing, np.inf
    for alpha, persistence in ((0.05, 0.98), (0.10, 0.90), (0.30, 0.95), (0.60, 0.75)):
        x = np.array([0.0, 1.0 - persistence, alpha, persistence - alpha])
        value = climb(z, before, FLOOR, x)
        if np.isfinite(value) and n * value < n * cheapest - TIE:
            best, cheapest = x, value
    found = np.array([mean + std * best[0], std * std * best[1], best[2], best[3]])
    if not np.isfinite(cheapest):
        return nothing, np.nan, np.nan
    return found, -n * (cheapest + 0.5 * LN_2PI + np.log(std)), before * std * std
