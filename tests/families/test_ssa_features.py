"""The singular spectrum features against numpy.linalg, one window at a time."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.families.ssa_features import FAMILY
from fxloom.features.domain import BOTH, Domain
from tests.families.walks import (
    check_declarations,
    check_rows_before_the_first_are_not_computed,
    check_still_price_has_no_value,
    computed,
    sample,
    series_of,
)

NAMES = ["walk", pytest.param("market28/eurgbp", marks=pytest.mark.data)]


def component(x: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The series of 60 values whose antidiagonals are the means of the projection on ``vectors``."""
    y = vectors @ vectors.T @ x
    return np.array([np.mean([y[i, n - i] for i in range(15) if 0 <= n - i < 46]) for n in range(60)])


def by_definition(window: np.ndarray) -> tuple[dict[str, float], float]:
    """The features, and the smallest relative gap between the eigenvalues they depend on."""
    z = window - window[-1]
    z = (z - z.mean()) / z.std(ddof=1)
    x = np.array([z[i : i + 46] for i in range(15)])
    values, vectors = np.linalg.eigh(x @ x.T / 46)
    values, vectors = values[::-1], vectors[:, ::-1]
    trend, osc = component(x, vectors[:, :1]), component(x, vectors[:, 1:3])
    last = vectors[14, :3]
    ahead = vectors[:14, :3] @ last @ (trend + osc)[-14:] / (1.0 - last @ last)
    features = {
        "ssa_trend": trend[-1],
        "ssa_osc": osc[-1],
        "ssa_noise": z[-1] - trend[-1] - osc[-1],
        "ssa_trend_share": values[0] / values.sum(),
        "ssa_osc_share": values[1:3].sum() / values.sum(),
        "ssa_effective_rank": values.sum() ** 2 / np.sum(values**2),
        "ssa_pairing": values[2] / values[1],
        "ssa_forecast": np.clip(ahead - z[-1], -10.0, 10.0),
    }
    return features, min(values[0] - values[1], values[2] - values[3]) / values[0]


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", NAMES)
def test_features_match_their_definitions(domain: Domain, name: str) -> None:
    out = computed(FAMILY, domain, name)
    y = series_of(domain, 15, name)
    for t in sample(domain.series(15) + 59, len(y), moving=name == "walk"):
        window = y[t - 59 : t + 1]
        if np.ptp(window) <= 1e-9:
            continue
        expected, gap = by_definition(window)
        for key, value in expected.items():
            if gap > 1e-6:
                assert out[key][t] == pytest.approx(value, rel=1e-8, abs=1e-8), (key, t)


def test_a_still_price_has_no_components() -> None:
    check_still_price_has_no_value(FAMILY, "ssa_trend")


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_rows_before_the_first_are_not_computed(domain: Domain) -> None:
    check_rows_before_the_first_are_not_computed(FAMILY, domain)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_columns_match_their_declarations(domain: Domain) -> None:
    check_declarations(FAMILY, domain)
