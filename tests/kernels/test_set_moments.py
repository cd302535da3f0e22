"""Moments over sets of pairs against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.set_moments import set_moments
from tests.markets import correlated_returns


def test_moments_over_a_set_match_numpy() -> None:
    r, present = correlated_returns(4, 800)
    members, signs = np.array([[1, 2, 3], [0, -1, -1]]), np.array([[1.0, -1.0, 1.0], [-1.0, 0.0, 0.0]])
    count, mean, std = set_moments(r, present, members, signs)
    for t in range(800):
        held = [s * r[m, t] for m, s in zip(members[0], signs[0], strict=True) if present[m, t] and r[m, t] == r[m, t]]
        assert count[0, t] == len(held)
        if held:
            assert mean[0, t] == pytest.approx(np.mean(held))
        if len(held) > 1:
            assert std[0, t] == pytest.approx(np.std(held, ddof=1))
    assert np.isnan(std[1]).all()
    assert (mean[1][count[1] == 1] == -r[0][count[1] == 1]).all()
