"""The spectral features against scipy.fft, one window at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import fft, signal

from fxloom.families.spectral_features import FAMILY
from fxloom.features.domain import BOTH, RATE, Domain
from tests.families.walks import (
    check_declarations,
    check_rows_before_the_first_are_not_computed,
    check_still_price_has_no_value,
    computed,
    frame,
    sample,
    series_of,
)

NAMES = ["walk", pytest.param("market28/eurgbp", marks=pytest.mark.data)]
F = np.arange(1, 65) / 128


@cache
def powers(domain: Domain, t: int, name: str) -> np.ndarray:
    """P_1 ... P_64 by definition; None for a still window."""
    window = series_of(domain, 15, name)[t - 127 : t + 1]
    if np.ptp(window) <= 1e-13 * np.abs(window).max():
        return np.full(64, np.nan)
    line = signal.detrend(window - window[-1])
    return np.abs(fft.rfft(line * signal.windows.hann(128, sym=False)))[1:] ** 2


def strongest(p: np.ndarray) -> int:
    """k of the largest power; ties within 1e-9 go to the smaller k."""
    return int(np.argmax(p >= p.max() * (1 - 1e-9))) + 1


def by_definition(p: np.ndarray) -> dict[str, float]:
    share, k = p / p.sum(), strongest(p)
    far = np.where(np.abs(np.arange(1, 65) - k) >= 3, p, 0.0)
    harmonics = [p[j - 1] for j in (2 * k - 1, 2 * k, 2 * k + 1) if j <= 64 and j - k >= 2]
    return {
        "fft_dominant_freq": k / 128,
        "fft_dominant_power": share[k - 1],
        "fft_secondary_freq": strongest(far) / 128,
        "fft_harmonic_ratio": max(harmonics, default=0.0) / p[k - 1],
        "fft_low_power": share[F < 1 / 30].sum(),
        "fft_high_power": share[F > 1 / 5].sum(),
        "fft_entropy": -np.sum(share * np.log(share)) / np.log(64),
        "fft_edge_freq": F[np.argmax(np.cumsum(share) >= 0.95)],
        "fft_flatness": np.exp(np.mean(np.log(p))) / p.mean(),
        "fft_cyclic_strength": np.log(p.max() / np.median(p)),
    }


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_features_of_one_window(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    first = domain.series(15) + 127
    for t in sample(first, len(frame(name).bars), moving=name == "walk"):
        p = powers(domain, t, name)
        if np.isfinite(p).all():
            for key, value in by_definition(p).items():
                assert out[key][t] == pytest.approx(value, rel=1e-8, abs=1e-12), (key, t)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_features_of_several_windows(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    first = domain.series(15) + 127
    for t in sample(first + 64, len(frame(name).bars), moving=name == "walk"):
        now, before = powers(domain, t, name), powers(domain, t - 64, name)
        if np.isfinite(now + before).all():
            expected = np.log(now.sum() / before.sum())
            assert out["fft_power_trend"][t] == pytest.approx(expected, rel=1e-8, abs=1e-9)
        dominant = [powers(domain, s, name) for s in range(t - 59, t + 1)]
        if np.isfinite(dominant).all():
            expected = np.std([strongest(p) / 128 for p in dominant], ddof=1)
            assert out["fft_freq_stability"][t] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_still_price_has_no_spectrum() -> None:
    check_still_price_has_no_value(FAMILY, "fft_entropy")


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_rows_before_the_first_are_not_computed(domain: Domain) -> None:
    check_rows_before_the_first_are_not_computed(FAMILY, domain)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
    assert next(iter(FAMILY.columns(domain))).warmup == (127 if domain is RATE else 142)
