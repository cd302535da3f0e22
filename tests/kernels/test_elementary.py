"""The vectorising exponential and logarithm against the C library."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fxloom.kernels.elementary import exponential, logarithm


def test_exponential_is_within_two_units_in_the_last_place() -> None:
    rng = np.random.default_rng(1)
    for x in [0.0, -0.0, 1.0, -1.0, 700.0, -699.9, *rng.normal(0.0, 1.0, 300), *rng.uniform(-700.0, 700.0, 300)]:
        assert exponential(x) == pytest.approx(math.exp(x), rel=5e-16, abs=0.0), x


def test_exponential_is_tiny_where_it_would_underflow() -> None:
    for x in (-700.1, -1e5, -1e300, -math.inf):
        assert 0.0 < exponential(x) < 1e-303


def test_logarithm_is_within_an_ulp_or_two() -> None:
    rng = np.random.default_rng(2)
    for x in [1.0, 0.5, 2.0, math.e, 1e-300, 1e300, *np.exp(rng.uniform(-300.0, 300.0, 300))]:
        assert logarithm(x) == pytest.approx(math.log(x), rel=5e-16, abs=1e-300), x


def test_logarithm_keeps_its_digits_near_one() -> None:
    for k in (1, 2, 3, 1_000, 10**9):
        for x in (1.0 + k * 2.0**-52, 1.0 - k * 2.0**-53):
            assert logarithm(x) == pytest.approx(math.log(x), rel=5e-16, abs=0.0), x
