"""The hidden Markov model against hmmlearn, and against a log-space reference written from the formulas."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM
from scipy.special import logsumexp
from scipy.stats import norm

from fxloom.families.hmm_regime import fit_regimes, start_model
from fxloom.kernels.hidden_markov import (
    entropy,
    expect,
    filter_hmm,
    fit_hmm,
    likeliest,
    log_densities,
    share_alike,
    switch_probability,
)

Parameters = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def synthetic(n: int, seed: int = 5) -> np.ndarray:
    """Observations from three alternating volatility regimes, (n, 2)."""
    rng = np.random.default_rng(seed)
    state, states = 0, []
    for _ in range(n):
        state = state if rng.random() < 0.97 else int(rng.integers(3))
        states.append(state)
    scale = np.array([0.8, 1.7, 4.0])[states]
    return np.stack([scale * rng.normal(size=n), np.log(scale) + 0.35 * rng.normal(size=n)], axis=1)


def hmmlearn_model(parameters: Parameters) -> GaussianHMM:
    model = GaussianHMM(3, "diag", n_iter=100, tol=-np.inf, init_params="", params="stmc")
    model.startprob_, model.transmat_, model.means_, model.covars_ = parameters
    return model


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Silence hmmlearn, which logs every slight decrease of the likelihood."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def rows(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.ascontiguousarray(y[:, 0]), np.ascontiguousarray(y[:, 1])


def check_like_hmmlearn(y: np.ndarray) -> None:
    start = start_model(*rows(y))
    (first, transitions, means, variances), shares = fit_hmm(*rows(y), start, 100)
    reference = hmmlearn_model(start).fit(y)
    np.testing.assert_allclose(first, reference.startprob_, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(transitions, reference.transmat_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(means, reference.means_, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(variances, reference._covars_, rtol=1e-8)
    np.testing.assert_allclose(shares, reference.predict_proba(y).mean(axis=0), rtol=1e-8)
    p, densities = filter_hmm(*rows(y), (first, transitions, means, variances))
    for t in (0, 1, 2, 700, 2_000):  # smoothed probabilities of the last of t + 1 observations are the filtered ones
        np.testing.assert_allclose(p[:, t], reference.predict_proba(y[: t + 1])[-1], rtol=1e-8, atol=1e-10)
        assert densities[: t + 1].sum() == pytest.approx(reference.score(y[: t + 1]), rel=1e-9)


@pytest.mark.parametrize("seed", [5, 6])
def test_a_hundred_steps_match_hmmlearn(seed: int) -> None:
    check_like_hmmlearn(synthetic(7_200, seed))


def test_outliers_do_not_fail_the_fit() -> None:
    y = synthetic(3_000)
    y[500] = 1e3, 7.0
    y[1_200:1_203, 0] = -1e3
    y[2_000, 1] = 50.0
    check_like_hmmlearn(y)


def test_a_volatility_that_never_changes_fails() -> None:
    y = synthetic(900)
    y[:, 1] = np.log(0.1)
    assert fit_regimes(*rows(y)).failed


def in_logarithms(y: np.ndarray, parameters: Parameters) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Filtered probabilities, predictive log densities, posteriors and expected transitions, row by row in logs."""
    start, transitions, means, variances = parameters
    with np.errstate(divide="ignore"):
        pi, ways = np.log(start), np.log(transitions)
    b = norm.logpdf(y[:, None, :], means[None], np.sqrt(variances)[None]).sum(axis=2)
    n = len(y)
    alpha, beta = np.empty((n, 3)), np.zeros((n, 3))
    alpha[0] = pi + b[0]
    for t in range(1, n):
        alpha[t] = logsumexp(alpha[t - 1][:, None] + ways, axis=0) + b[t]
    for t in range(n - 2, -1, -1):
        beta[t] = logsumexp(ways + (b[t + 1] + beta[t + 1])[None, :], axis=1)
    total = logsumexp(alpha[-1])
    evidence = logsumexp(alpha, axis=1)
    moves = np.zeros((3, 3))
    for t in range(n - 1):
        moves += np.exp(alpha[t][:, None] + ways + (b[t + 1] + beta[t + 1])[None, :] - total)
    densities = np.diff(evidence, prepend=0.0)
    return np.exp(alpha - evidence[:, None]).T, densities, np.exp(alpha + beta - total).T, moves


def expected(y: np.ndarray, parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    start, transitions, means, variances = parameters
    n, moves = len(y), np.empty((3, 3))
    logs, b, alpha, gamma = (np.empty((3, n)) for _ in range(4))
    log_densities(*rows(y), means, variances, logs)
    expect(logs, start, transitions, b, alpha, gamma, moves)
    return gamma, moves


def check_expectations(y: np.ndarray, parameters: Parameters) -> None:
    p, densities, gamma, moves = in_logarithms(y, parameters)
    found_gamma, found_moves = expected(y, parameters)
    np.testing.assert_allclose(found_gamma, gamma, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found_moves, moves, rtol=1e-8, atol=1e-12)
    found_p, found_densities = filter_hmm(*rows(y), parameters)
    np.testing.assert_allclose(found_p, p, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found_densities, densities, rtol=1e-8, atol=1e-7)


FAR = np.array([[0.0, 0.0], [0.0, 30.0], [0.0, 60.0]]), np.full((3, 2), 0.5)
THIRDS = np.full(3, 1.0 / 3.0)


def test_expectations_match_their_formulas() -> None:
    y = synthetic(300)
    check_expectations(y, start_model(*rows(y)))


def test_a_nearly_impossible_transition_is_computed_in_logarithms() -> None:
    """All weight passes through a transition of 1e-150 while densities differ by e^-3000."""
    transitions = np.array([[1.0, 0.0, 1e-150], [0.0, 1.0, 0.0], [1e-200, 0.5, 0.5]])
    y = np.repeat(FAR[0][[0, 0, 2, 2, 0, 0, 2, 1, 1]], 3, axis=0)
    check_expectations(y, (THIRDS, transitions, *FAR))


def test_a_state_that_recovers_from_underflow_is_computed_in_logarithms() -> None:
    """State 2 is reached only from state 1, which the previous bar makes e^-900 times less likely than state 0."""
    transitions = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]])
    y = np.repeat(FAR[0][[0, 2, 0, 2, 0, 1, 2]], [4, 3, 3, 4, 3, 1, 4], axis=0)
    check_expectations(y, (np.array([1.0, 0.0, 0.0]), transitions, *FAR))


def test_a_start_that_excludes_the_observations() -> None:
    transitions = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.1, 0.9]])
    y = np.repeat(FAR[0][[2, 1, 0]], 5, axis=0)
    check_expectations(y, (np.array([1.0, 1e-300, 0.0]), transitions, *FAR))


def test_one_step_matches_the_formulas() -> None:
    y = synthetic(300)
    start = start_model(*rows(y))
    _, _, gamma, moves = in_logarithms(y, start)
    (first, transitions, means, variances), _ = fit_hmm(*rows(y), start, 1)
    np.testing.assert_allclose(first, gamma[:, 0], rtol=1e-10)
    np.testing.assert_allclose(transitions, moves / moves.sum(axis=1, keepdims=True), rtol=1e-10)
    for k in range(3):
        mean = (gamma[k][:, None] * y).sum(axis=0) / gamma[k].sum()
        squares = (gamma[k][:, None] * (y - mean) ** 2).sum(axis=0)
        np.testing.assert_allclose(means[k], mean, rtol=1e-10)
        np.testing.assert_allclose(variances[k], (0.01 + squares) / gamma[k].sum(), rtol=1e-10)


def test_the_start_is_three_equal_parts_of_the_stable_sort() -> None:
    change = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    level = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    start, transitions, means, variances = start_model(change, level)
    np.testing.assert_allclose(means, [[2.0, 0.0], [4.0, 0.5], [4.5, 1.0]])
    np.testing.assert_allclose(variances, [[1.0, 0.001], [4.0, 0.25], [0.25, 0.001]])
    np.testing.assert_allclose(start, 1.0 / 3.0)
    np.testing.assert_allclose(transitions.sum(axis=1), 1.0)


def test_states_are_ordered_by_volatility() -> None:
    y = synthetic(3_000)
    y[:, 0] *= -1.0
    fitted = fit_regimes(*rows(y))
    _, transitions, means, _ = fitted.model
    assert (np.diff(means[:, 1]) > 0.0).all()
    np.testing.assert_allclose(transitions.sum(axis=1), 1.0)
    assert not fitted.failed


def test_a_state_of_less_than_a_hundredth_fails() -> None:
    y = synthetic(7_200)
    y[3_000:3_030] = 1e3, 10.0
    assert fit_regimes(*rows(y)).shares.min() == pytest.approx(30 / 7_200, rel=1e-3)
    assert fit_regimes(*rows(y)).failed
    y[3_000:3_090] = 1e3, 10.0
    assert not fit_regimes(*rows(y)).failed
    y[0, 0] = np.nan
    assert fit_regimes(*rows(y)).failed


def test_features_of_probabilities() -> None:
    p = np.array([[1.0, 0.0, 0.25, 1 / 3, 0.5], [0.0, 1.0, 0.5, 1 / 3, 0.0], [0.0, 0.0, 0.25, 1 / 3, 0.5]])
    transitions = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    np.testing.assert_array_equal(likeliest(p), [0.0, 1.0, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(switch_probability(p, transitions), [0.1, 0.2, 0.225, 0.7 / 3.0, 0.25])
    np.testing.assert_allclose(entropy(p), [0.0, 0.0, 1.5 * np.log(2) / np.log(3), 1.0, np.log(2) / np.log(3)])
    np.testing.assert_allclose(share_alike(likeliest(p), 3)[2:], [2 / 3, 1 / 3, 2 / 3])
