"""Newton's step under the bounds of GARCH(1,1): omega >= floor, alpha >= 0, beta >= 0, alpha + beta <= 1.

A point is x = (mu, omega, alpha, beta). The sides of the polytope are 0: omega = floor, 1: alpha = 0, 2: beta = 0,
3: alpha + beta = 1. Active sides hold exactly; together they define the face on which a step is taken.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats
from fxloom.kernels.jit import jit

NEAR = 1e-3  # a side at most this far away may be reached in one step
APPROACH = 0.8  # share of the way to a side further away that one step may cover


@jit
def face_basis(active: Flags, basis: Floats) -> int:
    """Columns of ``basis`` (4, 4) that span the face on which the ``active`` sides hold; returns how many."""
    basis[:] = 0.0
    basis[0, 0], m = 1.0, 1
    if not active[0]:
        basis[1, m], m = 1.0, m + 1
    if active[3]:
        if not (active[1] or active[2]):
            basis[2, m], basis[3, m], m = 1.0, -1.0, m + 1
        return m
    for side in (1, 2):
        if not active[side]:
            basis[side + 1, m], m = 1.0, m + 1
    return m


@jit
def project(basis: Floats, m: int, g: Floats, out: Floats) -> float:
    """out = basis' g, the gradient along the face; returns its largest component."""
    largest = 0.0
    for i in range(m):
        out[i] = basis[0, i] * g[0] + basis[1, i] * g[1] + basis[2, i] * g[2] + basis[3, i] * g[3]
        largest = max(largest, abs(out[i]))
    return largest


@jit
def side_to_leave(active: Flags, g: Floats, tolerance: float) -> int:
    """The active side whose multiplier is most negative (below -tolerance), or -1 if none is."""
    multipliers = np.array([g[1], g[2], g[3], 0.0])
    if active[3]:
        multipliers[3] = -0.5 * (g[2] + g[3])
        if active[1]:
            multipliers[1], multipliers[3] = g[2] - g[3], -g[3]
        elif active[2]:
            multipliers[2], multipliers[3] = g[3] - g[2], -g[2]
    worst, lowest = -1, -tolerance
    for side in range(4):
        if active[side] and multipliers[side] < lowest:
            worst, lowest = side, multipliers[side]
    return worst


@jit
def slack(side: int, x: Floats, floor: float) -> float:
    """The distance of ``x`` from a side, negative outside."""
    if side == 3:
        return float(1.0 - x[2] - x[3])
    return float(x[1] - floor if side == 0 else x[side + 1])


@jit
def longest_step(x: Floats, d: Floats, active: Flags, floor: float) -> tuple[float, int]:
    """The share of step ``d``, at most 1, that may be taken, and the side that it ends on (-1: none).

    A step towards a side covers four fifths of the way until the side is near: the maximum is often not on a side
    that one long step would reach, and alpha = 0, where beta has no effect, is hard to leave.
    """
    longest, blocking = 1.0, -1
    pace = (d[1], d[2], d[3], -d[2] - d[3])
    for side in range(4):
        if not active[side] and pace[side] < 0.0:
            distance = max(slack(side, x, floor), 0.0)
            room = distance / -pace[side]
            if distance > NEAR and APPROACH * room < longest:
                longest, blocking = APPROACH * room, -1
            elif distance <= NEAR and room < longest:
                longest, blocking = room, side
    return longest, blocking


@jit
def put_on_sides(x: Floats, active: Flags, floor: float) -> None:
    """Make the active sides hold exactly, and keep rounding from violating the others."""
    x[1] = floor if active[0] else max(x[1], floor)
    x[2] = 0.0 if active[1] else max(x[2], 0.0)
    x[3] = 0.0 if active[2] else max(x[3], 0.0)
    if active[3] or x[2] + x[3] > 1.0:
        if active[1]:
            x[3] = 1.0
        else:
            x[2] = 1.0 - x[3]


@jit
def solve_definite(matrix: Floats, m: int, right: Floats, out: Floats) -> bool:
    """out = matrix^-1 right by Cholesky's method in the leading m x m; False if it is not positive definite."""
    low = np.zeros((4, 4))
    for i in range(m):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i > j:
                low[i, j] = total / low[j, j]
            elif total > 1e-14 * matrix[i, i]:
                low[i, i] = np.sqrt(total)
            else:
                return False
    for i in range(m):
        total = right[i]
        for k in range(i):
            total -= low[i, k] * out[k]
        out[i] = total / low[i, i]
    for i in range(m - 1, -1, -1):
        total = out[i]
        for k in range(i + 1, m):
            total -= low[k, i] * out[k]
        out[i] = total / low[i, i]
    return True


@jit
def reduce_matrix(matrix: Floats, basis: Floats, m: int, out: Floats) -> None:
    """out = basis' matrix basis, in the leading m x m."""
    for i in range(m):
        for j in range(m):
            total = 0.0
            for k in range(4):
                for l in range(4):
                    total += basis[k, i] * matrix[k, l] * basis[l, j]
            out[i, j] = total


@jit
def descent(hessian: Floats, scoring: Floats, basis: Floats, m: int, reduced: Floats, d: Floats) -> None:
    """d = Newton's step in the face; Fisher's, with a ridge if needed, where the Hessian is not positive definite."""
    matrix, step = np.zeros((4, 4)), np.zeros(4)
    reduce_matrix(hessian, basis, m, matrix)
    definite, ridge = solve_definite(matrix, m, reduced, step), 0.0
    while not definite:
        reduce_matrix(scoring, basis, m, matrix)
        for i in range(m):
            matrix[i, i] += ridge * (matrix[i, i] + 1e-8)
        definite = solve_definite(matrix, m, reduced, step) or ridge > 1e6
        ridge = max(100.0 * ridge, 1e-8)
    for i in range(4):
        d[i] = 0.0
        for j in range(m):
            d[i] -= basis[i, j] * step[j]
