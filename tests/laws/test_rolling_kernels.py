"""Laws of every rolling kernel: each row depends on its window alone, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fxloom.kernels import comoments, extremes, moments, order, regression, states

W = 30
Y = 100.0 + np.cumsum(np.random.default_rng(1).normal(0.0, 0.01, 1_700))
X = 100.0 + np.cumsum(np.random.default_rng(2).normal(0.0, 0.01, 1_700))
FLAGS = Callable[[np.ndarray, np.ndarray], object]

# name -> (kernel on (y, x), rows that one value reaches)
KERNELS: dict[str, tuple[FLAGS, int]] = {
    "rolling_sum": (lambda y, _: moments.rolling_sum(y, W), W),
    "rolling_mean": (lambda y, _: moments.rolling_mean(y, W), W),
    "rolling_std": (lambda y, _: moments.rolling_std(y, W), W),
    "rolling_moments": (lambda y, _: moments.rolling_moments(y, W), W),
    "zscore": (lambda y, _: moments.zscore(y, W), W),
    "rolling_cov": (lambda y, x: comoments.rolling_cov(x, y, W), W),
    "rolling_corr": (lambda y, x: comoments.rolling_corr(x, y, W), W),
    "rolling_beta": (lambda y, x: comoments.rolling_beta(y, x, W), W),
    "rolling_max": (lambda y, _: extremes.rolling_max(y, W), W),
    "rolling_min": (lambda y, _: extremes.rolling_min(y, W), W),
    "bars_since_max": (lambda y, _: extremes.bars_since_max(y, W), W),
    "bars_since_min": (lambda y, _: extremes.bars_since_min(y, W), W),
    "rolling_rank": (lambda y, _: order.rolling_rank(y, W, 1e-9), W),
    "rank_present": (lambda y, _: order.rank_present(y, W, 5, 1e-9), W),
    "rolling_slope": (lambda y, _: regression.rolling_slope(y, W), W),
    "rolling_line": (lambda y, _: regression.rolling_line(y, W), W),
    "rolling_parabola": (lambda y, _: regression.rolling_parabola(y, W), W),
    "bars_since_change": (lambda y, _: states.bars_since_change(np.round(y, 1).astype(np.float64), W), W + 1),
    "change_share": (lambda y, _: states.change_share(np.round(y, 1).astype(np.float64), W), W + 1),
    "shift": (lambda y, _: states.shift(y, W), W + 1),
}
PRESENT = {"rank_present"}


def rows(name: str, y: np.ndarray, x: np.ndarray = X) -> np.ndarray:
    """All outputs of a kernel as one array with time on the last axis."""
    return np.atleast_2d(np.asarray(KERNELS[name][0](y, x[: len(y)])))


@pytest.fixture(params=list(KERNELS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_values_begin_with_the_first_whole_window(name: str) -> None:
    out, reach = rows(name, Y), KERNELS[name][1]
    assert np.isnan(out[:, : reach - 1]).all()
    assert np.isfinite(out[:, reach - 1 :]).all()


@pytest.mark.parametrize("k", [1, 7, 513])
def test_values_do_not_depend_on_the_position(name: str, k: int) -> None:
    reach = KERNELS[name][1]
    whole = rows(name, Y)[:, k + reach - 1 :]
    part = rows(name, Y[k:].copy(), X[k:].copy())[:, reach - 1 :]
    assert whole.tobytes() == part.tobytes()


def test_later_bars_change_nothing(name: str) -> None:
    for end in (W + 5, 600, 1_033):
        replaced = Y.copy()
        replaced[end:] = -5e6
        whole = rows(name, Y)[:, :end].tobytes()
        assert whole == rows(name, Y[:end].copy())[:, :end].tobytes()
        assert whole == rows(name, replaced)[:, :end].tobytes()


@pytest.mark.parametrize("spike", [1e6, -1e6, np.nan])
def test_a_spike_outside_the_window_leaves_no_trace(name: str, spike: float) -> None:
    struck, reach = Y.copy(), KERNELS[name][1]
    struck[700] = spike
    assert rows(name, struck)[:, 700 + reach :].tobytes() == rows(name, Y)[:, 700 + reach :].tobytes()


def test_a_missing_value_makes_its_windows_missing(name: str) -> None:
    with_gap, reach = Y.copy(), KERNELS[name][1]
    with_gap[700] = np.nan
    out = rows(name, with_gap)
    inside = out[:, 700 : 700 + reach] if name != "shift" else out[:, [700 + W]]
    inside = inside[:, :1] if name in PRESENT else inside
    assert np.isnan(inside).all()


def test_no_infinity_and_no_negative_zero(name: str) -> None:
    level = np.repeat([100.0, 100.0, -0.0, 0.0, 1e-13, 100.1], 100)
    for y in (level, -level, np.where(np.arange(600) % 7 == 0, 0.0, -0.0)):
        for x in (y, X[:600]):
            out = rows(name, y, x)
            if name != "shift":
                assert not np.isinf(out).any()
                assert not (np.signbit(out) & (out == 0.0)).any()


def test_inputs_are_not_modified(name: str) -> None:
    y, x = Y.copy(), X.copy()
    rows(name, y, x)
    assert y.tobytes() == Y.tobytes()
    assert x.tobytes() == X.tobytes()
