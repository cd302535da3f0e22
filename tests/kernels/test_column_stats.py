"""Column statistics against NumPy and by hand."""

from __future__ import annotations

import numpy as np

from fxloom.kernels.column_stats import column_sums


def test_sums_match_numpy() -> None:
    y = np.random.default_rng(5).standard_normal(10_000)
    due = np.arange(len(y)) >= 100
    y[:100] = np.nan
    y[700:720] = 0.25
    y[900], y[901] = np.inf, np.nan
    sums = column_sums(y, due)
    values = y[np.isfinite(y)]
    deviations = values - values[0]
    assert (sums.due, sums.finite, sums.infinite, sums.early) == (9_900, len(values), 1, 0)
    assert (sums.low, sums.high, sums.longest_run) == (values.min(), values.max(), 20)
    np.testing.assert_allclose([sums.total, sums.squares], [deviations.sum(), (deviations**2).sum()], rtol=1e-12)


def test_a_column_worked_by_hand() -> None:
    """Runs continue across missing rows; values before the warm-up count as early and in the sums."""
    sums = column_sums(
        np.array([1.0, np.nan, 3.0, 3.0, np.nan, 3.0, -np.inf]), np.array([False, False, True, True, True, True, True])
    )
    assert sums == (5, 3, 1, 1, 1.0, 3.0, 6.0, 12.0, 3)


def test_an_empty_column_has_no_extremes() -> None:
    assert column_sums(np.full(3, np.nan), np.ones(3, np.bool_)) == (3, 0, 0, 0, np.inf, -np.inf, 0.0, 0.0, 0)
