"""Shares, robust scores and rank correlations across pairs against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import median_abs_deviation, spearmanr

from fxloom.kernels.cross_section import robust_scores, share_below, spearman


def test_shares_count_ties_by_half() -> None:
    values = np.array([[1.0], [1.0 + 1e-12], [2.0], [np.nan], [0.5]])
    known, everyone = np.ones((5, 1), np.bool_), np.ones(5, np.bool_)
    share = share_below(values, known, everyone, 2, 1e-9, 0.0)[:, 0]
    assert share[:3].tolist() == [0.5, 0.5, 1.0]  # of three: one below and one equal; three below
    assert np.isnan(share[3])
    assert share[4] == 0.0
    assert np.isnan(share_below(values, known, everyone, 4, 1e-9, 0.0)).all()
    majors = np.array([True, False, True, True, False])
    assert share_below(values, known, majors, 1, 1e-9, 0.0)[:, 0].tolist()[:3] == [0.0, 0.25, 1.0]


def test_robust_scores_and_rank_correlations_match_scipy() -> None:
    rng = np.random.default_rng(3)
    x, y = np.round(rng.standard_normal((2, 12, 200)), 1)
    known = rng.random((12, 200)) < 0.8
    scores, rho = robust_scores(x, known), spearman(x, y, known)
    for t in range(200):
        a, b = x[known[:, t], t], y[known[:, t], t]
        mad = median_abs_deviation(a)
        if mad > 0:
            assert np.allclose(scores[known[:, t], t], (a - np.median(a)) / (1.4826 * mad))
        else:
            assert np.isnan(scores[:, t]).all()
        assert rho[t] == pytest.approx(spearmanr(a, b).statistic)
