"""Sliding wavelet coefficients against PyWavelets, one window at a time."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
from scipy import signal

from fxloom.kernels.flatness import rounding_size
from fxloom.kernels.wavelets import E1, E_SMOOTH, M1, TREND, coefficient_correlation, sliding_shares, sliding_wavelets


def levels(y: np.ndarray, first: int = 0) -> np.ndarray:
    return sliding_wavelets(y, rounding_size(y, 64, 0.0), first)


def walk(n: int, seed: int = 6) -> np.ndarray:
    return 100.0 + 1e-3 * np.cumsum(np.random.default_rng(seed).standard_normal(n))


def parts(window: np.ndarray) -> list[np.ndarray]:
    """a3, d3, d2, d1 of the detrended window."""
    return pywt.wavedec(signal.detrend(window - window[-1]), "db4", mode="periodization", level=3)


def rebuilt(window: np.ndarray, which: int) -> np.ndarray:
    found = [part if i == which else np.zeros_like(part) for i, part in enumerate(parts(window))]
    return pywt.waverec(found, "db4", mode="periodization")


def test_coefficients_and_sizes_match_pywavelets() -> None:
    y = walk(500)
    out = levels(y)
    assert np.isnan(out[:, :63]).all()
    for t in range(63, 500, 3):
        window = y[t - 63 : t + 1]
        a3, d3, d2, d1 = parts(window)
        scale = np.abs(a3).max()
        np.testing.assert_allclose(out[:8, t], a3, atol=1e-12 * scale)
        np.testing.assert_allclose(out[8:16, t], d3, atol=1e-12 * scale)
        np.testing.assert_allclose(out[E1 : E_SMOOTH + 1, t], [np.sum(c**2) for c in (d1, d2, d3, a3)], rtol=1e-11)
        np.testing.assert_allclose(out[M1:TREND, t], [np.abs(c).max() for c in (d1, d2, d3)], rtol=1e-11)
        smooth = rebuilt(window, 0)
        assert out[TREND, t] == pytest.approx(smooth[63] - smooth[48], abs=1e-12 * scale)


@pytest.mark.parametrize(("which", "rows"), [(0, slice(0, 8)), (1, slice(8, 16))])
def test_coefficients_correlate_as_their_reconstructions(which: int, rows: slice) -> None:
    x, y = walk(300), walk(300, seed=7)
    got = coefficient_correlation(
        np.ascontiguousarray(levels(x)[rows]), np.ascontiguousarray(levels(y)[rows]), which == 0
    )
    for t in range(63, 300):
        pair = np.corrcoef(rebuilt(x[t - 63 : t + 1], which), rebuilt(y[t - 63 : t + 1], which))
        assert got[t] == pytest.approx(pair[0, 1], abs=1e-10)


def test_lines_and_constants_have_no_coefficients() -> None:
    for y in (np.full(200, 100.1), 100.1 + 0.003 * np.arange(200)):
        assert np.isnan(levels(y)).all()
        assert np.isnan(sliding_shares(levels(y))).all()


def test_an_empty_level_has_no_logarithm() -> None:
    made = np.full((24, 2), 1.0)
    made[[E1, M1], 0] = 0.0
    made[E1:E_SMOOTH, 1] = made[M1:TREND, 1] = 0.0
    shares = sliding_shares(made)
    assert shares[:4].T.tolist() == [[0.0, 1 / 3, 1 / 3, 1 / 3], [0.0, 0.0, 0.0, 1.0]]
    assert np.isnan(shares[[4, 7]]).all()
    assert shares[6, 0] == pytest.approx(np.log(2) / np.log(3))
    assert np.isnan(shares[[6, 8], 1]).all()


def test_ties_in_energy_go_to_the_smaller_level() -> None:
    made = np.full((24, 3), 1.0)
    made[E1 : E1 + 3] = [[2.0, 1.0, 1.0], [2.0 + 1e-12, 2.0, 1.0], [1.0, 2.0, 2.0]]
    assert sliding_shares(made)[8].tolist() == [1.0, 2.0, 3.0]


def test_values_outside_the_window_leave_no_trace() -> None:
    y = walk(500)
    marred = y.copy()
    marred[200], marred[210] = 1e9, np.nan
    np.testing.assert_array_equal(levels(y)[:, 274:], levels(marred)[:, 274:])
    np.testing.assert_array_equal(levels(y)[:, :200], levels(marred)[:, :200])
    assert np.isnan(levels(marred)[:, 210:274]).all()


@pytest.mark.parametrize("start", [1, 2, 63, 129])
@pytest.mark.parametrize("length", [64, 67, 200])
def test_values_do_not_depend_on_the_position(start: int, length: int) -> None:
    whole = levels(walk(400))
    for first in (0, 64):
        part = levels(walk(400)[start : start + length].copy(), first)
        begin = max(first, 63)
        np.testing.assert_array_equal(whole[:, start + begin : start + length], part[:, begin:])
        assert np.isnan(part[:, :begin]).all()
