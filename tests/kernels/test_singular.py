"""Singular spectra against numpy.linalg."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.flatness import rounding_size
from fxloom.kernels.singular import singular_spectra

TREND, OSC, NOISE, TREND_SHARE, OSC_SHARE, RANK, PAIRING, FORECAST = range(8)


def features(y: np.ndarray, first: int = 0) -> np.ndarray:
    return singular_spectra(y, rounding_size(y, 60, 0.0), first)


def walk(n: int, seed: int = 8) -> np.ndarray:
    return 100.0 + 1e-3 * np.cumsum(np.random.default_rng(seed).standard_normal(n))


def by_definition(window: np.ndarray) -> np.ndarray:
    """The eight features by definition."""
    z = window - window[-1]
    z = (z - z.mean()) / z.std(ddof=1)
    x = np.array([z[i : i + 46] for i in range(15)])
    values, vectors = np.linalg.eigh(x @ x.T / 46)
    values, vectors = values[::-1], vectors[:, ::-1]

    def component(*which: int) -> np.ndarray:
        u = vectors[:, list(which)]
        y = u @ u.T @ x
        return np.array([np.mean([y[i, n - i] for i in range(15) if 0 <= n - i < 46]) for n in range(60)])

    trend, osc = component(0), component(1, 2)
    last = vectors[14, :3]
    recurrence = vectors[:14, :3] @ last / (1.0 - last @ last)
    ahead = np.clip(recurrence @ (trend + osc)[-14:] - z[-1], -10.0, 10.0)
    total = values.sum()
    return np.array([
        trend[-1], osc[-1], z[-1] - trend[-1] - osc[-1], values[0] / total, (values[1] + values[2]) / total,
        total**2 / np.sum(values**2), values[2] / values[1], ahead,
    ])  # fmt: skip


def test_features_match_their_definitions() -> None:
    y = walk(600)
    out = features(y)
    assert np.isnan(out[:, :59]).all()
    for t in range(59, 600, 3):
        np.testing.assert_allclose(out[:, t], by_definition(y[t - 59 : t + 1]), rtol=1e-10, atol=1e-10)


def test_a_sine_has_two_equal_components() -> None:
    """Rank two: without a third component, noise and forecast are undefined."""
    y = 100.0 + 0.01 * np.sin(2.0 * np.pi * np.arange(200) / 12.0)
    out = features(y)[:, 60:]
    assert out[TREND_SHARE] + out[OSC_SHARE] == pytest.approx(1.0, abs=1e-9)
    assert np.isnan(out[[OSC, NOISE, FORECAST]]).all()


def test_a_line_has_two_components() -> None:
    out = features(100.0 + 0.001 * np.arange(200))[:, 59:]
    assert np.isfinite(out[[TREND, TREND_SHARE, RANK]]).all()
    assert np.isnan(out[[OSC, NOISE, FORECAST]]).all()


def test_a_recurrence_forecasts_its_own_series() -> None:
    """A damped oscillation on a level has rank three: its forecast is its next value."""
    i = np.arange(61)
    y = 100.0 + 0.02 * 0.97**i * np.cos(2.0 * np.pi * i / 9.0)
    out = features(y[:60].copy())[:, 59]
    window = y[:60]
    assert out[NOISE] == pytest.approx(0.0, abs=1e-9)
    assert out[FORECAST] == pytest.approx((y[60] - y[59]) / window.std(ddof=1), abs=1e-8)


def test_constants_have_no_features() -> None:
    y = walk(400)
    y[150:250] = y[150]
    assert np.isnan(features(y)[:, 209:250]).all()
    assert np.isfinite(features(y)[TREND_SHARE, 59:209]).all()


def test_values_outside_the_window_leave_no_trace() -> None:
    y = walk(500)
    marred = y.copy()
    marred[200], marred[210] = 1e9, np.nan
    np.testing.assert_array_equal(features(y)[:, 270:], features(marred)[:, 270:])
    np.testing.assert_array_equal(features(y)[:, :200], features(marred)[:, :200])
    assert np.isnan(features(marred)[:, 210:270]).all()


@pytest.mark.parametrize("start", [1, 2, 63, 97])
@pytest.mark.parametrize("length", [60, 63, 250])
def test_values_do_not_depend_on_the_position(start: int, length: int) -> None:
    whole = features(walk(400))
    for first in (0, 70):
        part = features(walk(400)[start : start + length].copy(), first)
        begin = max(first, 59)
        np.testing.assert_array_equal(whole[:, start + begin : start + length], part[:, begin:])
        assert np.isnan(part[:, :begin]).all()
