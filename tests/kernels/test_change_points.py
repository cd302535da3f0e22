"""Change points against references written from the paper, with scipy's Student densities."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.change_points import cusum, detect_runs, location_and_scale, recent_alarm
from tests.reference.change_points import run_probabilities


def moves(n: int) -> np.ndarray:
    """Moves in bp whose mean and variance change now and then; some are 0, one is extreme."""
    rng = np.random.default_rng(12)
    scale = np.repeat(rng.choice([0.3, 1.0, 3.0], n // 150 + 1), 150)[:n]
    out = scale * rng.standard_t(5, n) + np.repeat(rng.normal(0.0, 0.4, n // 400 + 1), 400)[:n]
    out[rng.random(n) < 0.1] = 0.0
    out[n * 3 // 4] = 1e3
    return out


@pytest.mark.parametrize("calm", [False, True])
def test_runs_by_algorithm_one(calm: bool) -> None:
    x = 0.1 * np.random.default_rng(3).normal(size=700) if calm else moves(1_600)
    mean, std = 0.05, 1.3
    p = run_probabilities(x, mean, std * std)
    likely, expected, recent = detect_runs((x - mean) / std, 0)
    np.testing.assert_array_equal(likely, p.argmax(axis=1))
    np.testing.assert_allclose(expected, p @ np.arange(241), rtol=1e-9)
    np.testing.assert_allclose(recent, p[:, :15].sum(axis=1), rtol=1e-9)
    assert likely.max() == (240.0 if calm else likely.max())


def test_runs_are_filtered_from_the_first_row_and_reported_from_a_later_one() -> None:
    z = moves(900)
    whole, later = detect_runs(z, 0), detect_runs(z, 500)
    for a, b in zip(whole, later, strict=True):
        assert np.isnan(b[:500]).all()
        np.testing.assert_array_equal(a[500:], b[500:])


def test_runs_do_not_depend_on_later_bars() -> None:
    z = moves(900)
    for a, b in zip(detect_runs(z, 0), detect_runs(np.concatenate([z[:600], 5.0 - z[600:]]), 0), strict=True):
        np.testing.assert_array_equal(a[:600], b[:600])
        assert (a[601:] != b[601:]).any()


def test_a_still_price_has_a_long_run() -> None:
    likely, expected, recent = detect_runs(np.zeros(400), 0)
    assert likely[-1] == 240.0
    assert np.isfinite(expected).all()
    assert 0.0 < recent[-1] < 1.0


def test_extreme_moves_keep_probabilities_valid() -> None:
    z = moves(400)
    z[100], z[101], z[250:260] = 1e8, -1e8, 1e6
    likely, expected, recent = detect_runs(z, 0)
    assert ((likely >= 0.0) & (likely <= 240.0)).all()
    assert ((expected > 0.0) & (expected <= 240.0)).all()
    assert ((recent > 0.0) & (recent <= 1.0 + 1e-12)).all()


def test_cusum_matches_its_definition() -> None:
    z = np.concatenate([moves(500) / 1.3, np.full(30, 0.9), np.full(30, -3.0)])
    up, down, alarm = cusum(z)
    high = low = 0.0
    for t, value in enumerate(z):
        high, low = max(0.0, high + value - 0.5), max(0.0, low - value - 0.5)
        assert alarm[t] == (1.0 if high > 5.0 else -1.0 if low > 5.0 else 0.0)
        high, low = (0.0 if high > 5.0 else high), (0.0 if low > 5.0 else low)
        assert (up[t], down[t]) == (high, low)
    assert set(alarm) == {-1.0, 0.0, 1.0}
    assert up.max() <= 5.0
    assert down.max() <= 5.0


def test_an_alarm_resets_its_own_sum_only() -> None:
    up, down, alarm = cusum(np.array([-3.0, 5.0, -3.0, -2.0, 6.0]))
    np.testing.assert_array_equal(alarm, [0.0, 0.0, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(up, [0.0, 4.5, 1.0, 0.0, 0.0])
    np.testing.assert_array_equal(down, [2.5, 0.0, 2.5, 4.0, 0.0])


def test_bars_since_alarms() -> None:
    latest, since = recent_alarm(np.array([0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 3, 4)
    np.testing.assert_array_equal(latest, [0.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(since, [4.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.0])


def test_location_and_scale() -> None:
    x = 100.0 + 0.01 * moves(500)
    mean, std = location_and_scale(x)
    assert mean == pytest.approx(x.mean(), rel=1e-14)
    assert std == pytest.approx(x.std(ddof=1), rel=1e-12)
    assert location_and_scale(np.full(50, 0.3)) == (0.3, 0.0)
