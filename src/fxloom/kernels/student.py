"""Quantiles of Student's t distribution, without SciPy: they depend only on a fit's degrees of freedom."""

from __future__ import annotations

import math
from functools import cache


def _upper_tail(t: float, freedom: int) -> float:
    """P(T > t) for whole degrees of freedom, by the finite sums in theta = atan(t / sqrt(freedom))."""
    theta = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    part = sine * total if freedom > 1 else 0.0
    return 0.5 * (1.0 - (2.0 / math.pi * (theta + part) if odd else part))


@cache
def student_quantile(p: float, freedom: int) -> float:
    """The t with P(T <= t) = p, for p in 0.5 .. 0.9999 and whole degrees of freedom of at least 1.

    ValueError for anything else. Bisection to the last bit; agrees with scipy.stats.t.ppf to 1e-12. Source:
    Abramowitz & Stegun 26.7.3-4.

    >>> round(student_quantile(0.975, 12), 4)
    2.1788
    """
    if not 0.5 <= p <= 0.9999 or freedom < 1:
        raise ValueError(
            f"quantile of p = {p} with {freedom} degrees of freedom: expected p in 0.5..0.9999 and at least 1 degree"
        )
    low, high = 0.0, 1e5
    while low < (middle := 0.5 * (low + high)) < high:
        if _upper_tail(middle, freedom) > 1.0 - p:
            low = middle
        else:
            high = middle
    return high
