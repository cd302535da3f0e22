"""The largest eigenvalues of many small symmetric matrices at once, and their vectors.

LAPACK solves one matrix per call and takes ten times as long for matrices of 15 x 15. Here every array has the
matrices of a block on its last axis, and the inner loops run across them, so that they fill vector lanes. The result
of one matrix does not depend on the others: a matrix that has converged does not change while others continue.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit

RESOLUTION = 2.0**-50  # relative to the largest eigenvalue: a step below this ends the iteration
SLACK = 1e-13  # relative error allowed to the bounds on an eigenvalue
STEPS = 80  # more than the bisections that the resolution takes
APART = 0.999  # from a start closer to the eigenvalue above, steps would be as small as at convergence


@jit
def reflect(a: Floats, k: int, width: int, off: Floats, beta: Floats) -> None:
    """Make column k below the diagonal of ``a`` the vector of the Householder reflection that clears it."""
    size = a.shape[0]
    tail = np.zeros(width)
    for i in range(k + 2, size):
        for s in range(width):
            tail[s] += a[i, k, s] * a[i, k, s]
    for s in range(width):
        head = a[k + 1, k, s]
        norm = np.sqrt(head * head + tail[s])
        alpha = -norm if head > 0.0 else norm
        clear = tail[s] == 0.0
        off[k, s] = head if clear else alpha
        beta[k, s] = 0.0 if clear else 1.0 / (norm * norm - head * alpha)
        a[k + 1, k, s] = head - alpha


@jit
def tridiagonalise(a: Floats, width: int, diagonal: Floats, off: Floats, beta: Floats) -> None:
    """Householder's reduction (Golub and Van Loan 8.3.1) of the lower triangles a[i, k <= i, matrix], in place.

    Below the diagonal of column k stays the vector v of the reflection 1 - beta v v'.
    """
    size = a.shape[0]
    p, half = np.zeros((size, width)), np.zeros(width)
    for k in range(size - 2):
        reflect(a, k, width, off, beta)
        for i in range(k + 1, size):
            for s in range(width):
                p[i, s] = a[i, i, s] * a[i, k, s]
        for i in range(k + 1, size):
            for j in range(k + 1, i):
                for s in range(width):
                    value = a[i, j, s]
                    p[i, s] += value * a[j, k, s]
                    p[j, s] += value * a[i, k, s]
        for s in range(width):
            half[s] = 0.0
        for i in range(k + 1, size):
            for s in range(width):
                p[i, s] *= beta[k, s]
                half[s] += 0.5 * beta[k, s] * p[i, s] * a[i, k, s]
        for i in range(k + 1, size):
            for s in range(width):
                p[i, s] -= half[s] * a[i, k, s]
        for i in range(k + 1, size):
            for j in range(k + 1, i + 1):
                for s in range(width):
                    a[i, j, s] -= a[i, k, s] * p[j, s] + p[i, s] * a[j, k, s]
    for i in range(size):
        for s in range(width):
            diagonal[i, s] = a[i, i, s]
    for s in range(width):
        off[size - 2, s] = a[size - 1, size - 2, s]


@jit
def characteristic(x: Floats, diagonal: Floats, squares: Floats, width: int, state: Floats) -> None:
    """state[0, 1, 2] = det(T - x) and its derivatives by x, state[6] = eigenvalues below x (Sturm's count)."""
    size = diagonal.shape[0]
    p, q, r, p_old, q_old, r_old, below = state[0], state[1], state[2], state[3], state[4], state[5], state[6]
    for s in range(width):
        p[s], q[s], r[s] = diagonal[0, s] - x[s], -1.0, 0.0
        p_old[s], q_old[s], r_old[s] = 1.0, 0.0, 0.0
        below[s] = 1.0 if p[s] < 0.0 else 0.0
    for i in range(1, size):
        for s in range(width):
            gap, square = diagonal[i, s] - x[s], squares[i - 1, s]
            p_new = gap * p[s] - square * p_old[s]
            q_new = gap * q[s] - p[s] - square * q_old[s]
            r_new = gap * r[s] - 2.0 * q[s] - square * r_old[s]
            below[s] += 1.0 if (p_new < 0.0) != (p[s] < 0.0) else 0.0
            p_old[s], q_old[s], r_old[s] = p[s], q[s], r[s]
            p[s], q[s], r[s] = p_new, q_new, r_new


@jit
def advance(rank: int, size: int, x: Floats, bounds: Floats, limit: Floats, state: Floats, width: int) -> int:
    """One step of each ``x`` towards the eigenvalue that ``rank`` others exceed; returns how many still move.

    Laguerre's step goes to the next root on the side that it is pointed to and never beyond (Li and Zeng, "The
    Laguerre iteration in solving the symmetric tridiagonal eigenproblem, revisited", 1994). Where the next root is
    not the one wanted, the bracket is halved.
    """
    moving = 0
    n = float(size)
    for s in range(width):
        above = n - state[6, s]  # eigenvalues above x
        right = above > rank  # the one wanted is among them
        low = x[s] if right else bounds[0, s]
        high = bounds[1, s] if right else x[s]
        g, h = state[1, s] / state[0, s], state[2, s] / state[0, s]
        root = np.sqrt(max((n - 1.0) * ((n - 1.0) * g * g - n * h), 0.0))
        step = n / (g - root) if right else n / (g + root)
        adjacent = above == rank or above == rank + 1.0
        target = x[s] - step
        inside = adjacent and target >= low and target <= high
        target = target if inside else 0.5 * (low + high)
        target = x[s] if state[0, s] == 0.0 or bounds[2, s] == 0.0 else target
        moves = abs(target - x[s]) > limit[s]
        bounds[0, s], bounds[1, s], bounds[2, s] = low, high, 1.0 if moves else 0.0
        x[s] = target
        moving += 1 if moves else 0
    return moving


@jit
def largest_eigenvalues(diagonal: Floats, off: Floats, width: int, values: Floats) -> None:
    """values[j] = the j-th largest eigenvalue of the tridiagonal matrices, which must have none below zero."""
    size, wanted = diagonal.shape[0], values.shape[0]
    squares, state, bounds = np.zeros((size - 1, width)), np.zeros((7, width)), np.zeros((3, width))
    trace, norm, limit, scale = np.zeros(width), np.zeros(width), np.zeros(width), np.zeros(width)
    for i in range(size):
        for s in range(width):
            trace[s] += diagonal[i, s]
            norm[s] += diagonal[i, s] * diagonal[i, s]
    for i in range(size - 1):
        for s in range(width):
            squares[i, s] = off[i, s] * off[i, s]
            norm[s] += 2.0 * squares[i, s]
    for s in range(width):
        scale[s] = np.sqrt(norm[s])
        limit[s] = RESOLUTION * scale[s]
    for j in range(wanted):
        x = values[j]
        for s in range(width):
            # the largest of the remaining eigenvalues lies between these
            low = (norm[s] - SLACK * scale[s] * scale[s]) / (trace[s] + SLACK * scale[s]) - SLACK * scale[s]
            high = min(np.sqrt(max(norm[s], 0.0) + SLACK * scale[s] * scale[s]), trace[s] + SLACK * scale[s])
            before = values[j - 1, s] if j > 0 else np.inf
            low, high = max(low, -SLACK * scale[s]), min(high, before)
            bounds[0, s], bounds[1, s], bounds[2, s] = low, high, 1.0
            x[s] = high if high < APART * before else 0.5 * (low + high)
        for _ in range(STEPS):
            characteristic(x, diagonal, squares, width, state)
            if advance(j, size, x, bounds, limit, state, width) == 0:
                break
        for s in range(width):
            trace[s] -= x[s]
            norm[s] -= x[s] * x[s]


@jit
def factorise(diagonal: Floats, off: Floats, shift: Floats, limit: Floats, width: int, factors: Floats) -> None:
    """T - shift = P L U by rows with partial pivoting. factors[0 ... 3] = the three diagonals of U, and L's factors.

    factors[4] is 1 where rows i and i + 1 changed places. No pivot is smaller than ``limit``.
    """
    size = diagonal.shape[0]
    for s in range(width):
        factors[0, 0, s], factors[1, 0, s] = diagonal[0, s] - shift[s], off[0, s]
    for i in range(size - 1):
        last = i == size - 2
        for s in range(width):
            pivot, right, below = factors[0, i, s], factors[1, i, s], off[i, s]
            corner = diagonal[i + 1, s] - shift[s]
            beyond = 0.0 if last else off[min(i + 1, size - 2), s]
            swap = abs(below) > abs(pivot)
            top = below if swap else pivot
            top = limit[s] if abs(top) < limit[s] else top
            factor = (pivot if swap else below) / top
            factors[0, i, s] = top
            factors[1, i, s] = corner if swap else right
            factors[2, i, s] = beyond if swap else 0.0
            factors[3, i, s] = factor
            factors[4, i, s] = 1.0 if swap else 0.0
            factors[0, i + 1, s] = right - factor * corner if swap else corner - factor * right
            factors[1, i + 1, s] = -factor * beyond if swap else beyond
    for s in range(width):
        pivot = factors[0, size - 1, s]
        factors[0, size - 1, s] = limit[s] if abs(pivot) < limit[s] else pivot


@jit
def forward(factors: Floats, width: int, x: Floats) -> None:
    """x <- L^-1 P x."""
    for i in range(x.shape[0] - 1):
        for s in range(width):
            swap = factors[4, i, s] > 0.0
            here, there = x[i, s], x[i + 1, s]
            top, low = (there, here) if swap else (here, there)
            x[i, s] = top
            x[i + 1, s] = low - factors[3, i, s] * top


@jit
def backward(factors: Floats, width: int, x: Floats) -> None:
    """x <- U^-1 x."""
    size = x.shape[0]
    for s in range(width):
        x[size - 1, s] /= factors[0, size - 1, s]
        x[size - 2, s] = (x[size - 2, s] - factors[1, size - 2, s] * x[size - 1, s]) / factors[0, size - 2, s]
    for i in range(size - 3, -1, -1):
        for s in range(width):
            rest = x[i, s] - factors[1, i, s] * x[i + 1, s] - factors[2, i, s] * x[i + 2, s]
            x[i, s] = rest / factors[0, i, s]


@jit
def normalise(vectors: Floats, j: int, width: int) -> None:
    """Make vector j orthogonal to those before it, and of length 1."""
    size = vectors.shape[1]
    product = np.zeros(width)
    for i in range(size):  # to about length 1 first: what comes out of the inverse may be 1e15 long
        for s in range(width):
            product[s] = max(product[s], abs(vectors[j, i, s]))
    for i in range(size):
        for s in range(width):
            vectors[j, i, s] /= product[s]
    for before in range(j):
        for s in range(width):
            product[s] = 0.0
        for i in range(size):
            for s in range(width):
                product[s] += vectors[before, i, s] * vectors[j, i, s]
        for i in range(size):
            for s in range(width):
                vectors[j, i, s] -= product[s] * vectors[before, i, s]
    for s in range(width):
        product[s] = 0.0
    for i in range(size):
        for s in range(width):
            product[s] += vectors[j, i, s] * vectors[j, i, s]
    for s in range(width):
        product[s] = 1.0 / np.sqrt(product[s])
    for i in range(size):
        for s in range(width):
            vectors[j, i, s] *= product[s]


@jit
def largest_eigenvectors(diagonal: Floats, off: Floats, values: Floats, width: int, vectors: Floats) -> None:
    """vectors[j, :, matrix] = the unit eigenvector of values[j], by inverse iteration.

    Each is kept orthogonal to those before it, so that the space of eigenvalues that coincide is still whole
    (Peters and Wilkinson, "The calculation of specified eigenvectors by inverse iteration", 1971).
    """
    count, size = vectors.shape[0], vectors.shape[1]
    factors, limit = np.zeros((5, size, width)), np.zeros(width)
    for s in range(width):
        limit[s] = 2.0**-52 * values[0, s]
    for j in range(count):
        factorise(diagonal, off, values[j], limit, width, factors)
        for i in range(size):
            for s in range(width):
                vectors[j, i, s] = 1.0
        for iteration in range(2):
            if iteration > 0:
                forward(factors, width, vectors[j])
            backward(factors, width, vectors[j])
            normalise(vectors, j, width)


@jit
def restore(a: Floats, beta: Floats, width: int, vectors: Floats) -> None:
    """Eigenvectors of the matrices that ``tridiagonalise`` left in ``a`` from those of the tridiagonal ones."""
    size = a.shape[0]
    product = np.zeros(width)
    for j in range(vectors.shape[0]):
        for k in range(size - 3, -1, -1):
            for s in range(width):
                product[s] = 0.0
            for i in range(k + 1, size):
                for s in range(width):
                    product[s] += a[i, k, s] * vectors[j, i, s]
            for s in range(width):
                product[s] *= beta[k, s]
            for i in range(k + 1, size):
                for s in range(width):
                    vectors[j, i, s] -= product[s] * a[i, k, s]
