"""The wavelet features against PyWavelets, one window at a time."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
from scipy import signal

from fxloom.families.wavelet_features import FAMILY
from fxloom.features.domain import BOTH, BQX, RATE, Domain
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


def detrended(domain: Domain, t: int, name: str) -> np.ndarray:
    window = series_of(domain, 15, name)[t - 63 : t + 1]
    return signal.detrend(window - window[-1])


def parts(domain: Domain, t: int, name: str) -> list[np.ndarray]:
    """a3, d3, d2, d1."""
    return pywt.wavedec(detrended(domain, t, name), "db4", mode="periodization", level=3)


def rebuilt(domain: Domain, t: int, name: str, which: int) -> np.ndarray:
    found = [part if i == which else np.zeros_like(part) for i, part in enumerate(parts(domain, t, name))]
    return pywt.waverec(found, "db4", mode="periodization")


def by_definition(domain: Domain, t: int, name: str) -> dict[str, float]:
    a3, *details = parts(domain, t, name)
    details.reverse()  # d1, d2, d3
    e = np.array([np.sum(d**2) for d in details])
    total, share = e.sum() + np.sum(a3**2), e / e.sum()
    smooth = rebuilt(domain, t, name, 0)
    which = 0 if domain is RATE else 1
    largest = [np.log2(np.abs(d).max()) for d in details]
    return {
        "wav_d1_share": e[0] / total,
        "wav_d2_share": e[1] / total,
        "wav_d3_share": e[2] / total,
        "wav_a3_share": np.sum(a3**2) / total,
        "wav_d1_d3_ratio": np.log(e[0] / e[2]),
        "wav_trend": (smooth[-1] - smooth[-16]) / detrended(domain, t, name).std(ddof=1),
        "wav_entropy": -np.sum(share * np.log(share)) / np.log(3),
        "wav_singularity": np.polyfit([1, 2, 3], largest, 1)[0],
        "wav_dominant_scale": np.argmax(e) + 1,
        "wav_coherence": np.corrcoef(rebuilt(RATE, t, name, which), rebuilt(BQX, t, name, which))[0, 1],
    }


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_features_match_their_definitions(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    for t in sample(78, len(frame(name).bars), moving=name == "walk"):
        if min(np.ptp(series_of(d, 15, name)[t - 63 : t + 1]) for d in BOTH) > 1e-9:
            for key, value in by_definition(domain, t, name).items():
                assert out[key][t] == pytest.approx(value, rel=1e-8, abs=1e-8), (key, t)


def test_a_still_price_has_no_wavelet_features() -> None:
    check_still_price_has_no_value(FAMILY, "wav_trend")


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_rows_before_the_first_are_not_computed(domain: Domain) -> None:
    check_rows_before_the_first_are_not_computed(FAMILY, domain)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
