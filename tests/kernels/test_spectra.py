"""Sliding spectra against scipy.fft, one window at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft, signal

from fxloom.kernels.flatness import rounding_size
from fxloom.kernels.spectra import DOMINANT, ENTROPY, FEATURES, SHARE, STRENGTH, sliding_spectra, sorting_network


def spectra(y: np.ndarray, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return sliding_spectra(y, rounding_size(y, 128, 0.0), first)


def powers(window: np.ndarray) -> np.ndarray:
    """P_1 ... P_64 by definition."""
    line = signal.detrend(window - window[-1])
    return np.abs(fft.rfft(line * signal.windows.hann(128, sym=False)))[1:] ** 2


def walk(n: int, seed: int = 5) -> np.ndarray:
    return 100.0 + 1e-3 * np.cumsum(np.random.default_rng(seed).standard_normal(n))


def test_total_share_entropy_and_strength_match_scipy() -> None:
    y = walk(700)
    features, totals = spectra(y)
    assert np.isnan(totals[:127]).all()
    assert features.shape == (FEATURES, 700)
    for t in range(127, 700, 3):
        p = powers(y[t - 127 : t + 1])
        share = p / p.sum()
        assert totals[t] == pytest.approx(p.sum(), rel=1e-12)
        assert features[DOMINANT, t] == (np.argmax(p) + 1) / 128
        assert features[SHARE, t] == pytest.approx(share.max(), rel=1e-12)
        assert features[ENTROPY, t] == pytest.approx(-np.sum(share * np.log(share)) / np.log(64), rel=1e-12)
        assert features[STRENGTH, t] == pytest.approx(np.log(p.max() / np.median(p)), rel=1e-11)


@pytest.mark.parametrize("k", [1, 2, 17, 63, 64])
def test_a_cosine_peaks_at_its_frequency(k: int) -> None:
    y = 100.0 + 0.01 * np.cos(2.0 * np.pi * k * np.arange(300) / 128 + 0.3)
    features, _ = spectra(y)
    assert (features[DOMINANT, 127:] == k / 128).all()


def test_a_trend_a_hundred_times_larger_does_not_change_the_spectrum() -> None:
    y = walk(400)
    steep = y + 0.5 * np.arange(400)
    assert spectra(steep)[1][127:] == pytest.approx(spectra(y)[1][127:], rel=1e-9)


def test_lines_and_constants_have_no_spectrum() -> None:
    for y in (np.full(300, 100.1), 100.1 + 0.003 * np.arange(300)):
        features, totals = spectra(y)
        assert np.isnan(totals).all()
        assert np.isnan(features).all()


def test_values_outside_the_window_leave_no_trace() -> None:
    y = walk(900)
    marred = y.copy()
    marred[300], marred[310] = 1e9, np.nan
    for clean, other in zip(spectra(y), spectra(marred), strict=True):
        np.testing.assert_array_equal(clean[..., 310 + 128 :], other[..., 310 + 128 :])
        np.testing.assert_array_equal(clean[..., :300], other[..., :300])
    assert np.isnan(spectra(marred)[1][310 : 310 + 128]).all()


@pytest.mark.parametrize("start", [1, 2, 63, 129])
@pytest.mark.parametrize("length", [128, 131, 400])
def test_values_do_not_depend_on_the_position(start: int, length: int) -> None:
    y = walk(700)
    whole = spectra(y)
    for first in (0, 128):
        for full, part in zip(whole, spectra(y[start : start + length].copy(), first), strict=True):
            begin = max(first, 127)
            np.testing.assert_array_equal(full[..., start + begin : start + length], part[..., begin:])
            assert np.isnan(part[..., :begin]).all()


def test_the_sorting_network_sorts() -> None:
    rows = np.random.default_rng(1).permuted(np.tile(np.arange(32), (500, 1)), axis=1)
    for i, j in sorting_network(32):
        rows[:, [i, j]] = np.sort(rows[:, [i, j]], axis=1)
    assert (rows == np.arange(32)).all()
