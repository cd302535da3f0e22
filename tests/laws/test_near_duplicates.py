"""No two features of a pair-month are equal or linearly dependent, except declared near duplicates."""

from __future__ import annotations

from datetime import date
from itertools import combinations

import numpy as np
import pytest

from fxloom.bars.bars import Floats
from fxloom.bars.pairs import PairInfo
from fxloom.bars.synthetic import synthetic_market
from fxloom.features.catalogue import tables
from fxloom.features.feature import Feature
from fxloom.features.missing import FIXED_SPREAD
from tests.laws.specimens import PANEL, Specimen, month_edges, real
from tests.laws.trial import compute_on

ALIKE = 0.999999
SUSPICIOUS = 0.9999  # on every seventh row; suspects are checked on all rows
MIN_COMMON_ROWS = 100  # common rows that a correlation needs


def month_of_values(panel: Specimen, pair: str) -> tuple[list[Feature], Floats]:
    """All features of one pair, panel tables included, in the month that begins at the first month edge."""
    alone = Specimen(panel.name, {pair: panel.bars[pair]}, panel.infos)
    features: list[Feature] = []
    columns: list[Floats] = []
    for table in tables().values():
        trial = compute_on(table, panel if table.family.scope == "panel" else alone)[pair]
        edges = [*month_edges(trial.ts[trial.rows]), len(trial.rows)]
        rows = trial.rows[edges[0] : edges[1]]
        features += table.features
        columns += [trial.columns[f.name][rows] for f in table.features]
    return features, np.array(columns)


def standardised(columns: Floats) -> Floats:
    """Each row (a feature) minus its mean, over its standard deviation; a constant row becomes missing."""
    present = np.isfinite(columns)
    n = np.maximum(present.sum(axis=1, keepdims=True), 1)
    off = np.where(present, columns - np.where(present, columns, 0.0).sum(axis=1, keepdims=True) / n, np.nan)
    spread = np.sqrt(np.where(present, off**2, 0.0).sum(axis=1, keepdims=True) / n)
    return np.where(spread > 0, off / np.where(spread > 0, spread, 1.0), np.nan)


def pairwise_correlations(columns: Floats) -> Floats:
    """Correlations over the rows at which both features have values."""
    present = np.isfinite(columns).astype(np.float64)
    y = np.where(present > 0, columns, 0.0)
    n, sums, squares = present @ present.T, y @ present.T, (y * y) @ present.T
    with np.errstate(invalid="ignore", divide="ignore"):
        cov = y @ y.T / n - sums * sums.T / n**2
        variance = squares / n - (sums / n) ** 2
        corr = cov / np.sqrt(variance * variance.T)
    return np.where((n >= MIN_COMMON_ROWS) & (variance > 1e-9) & (variance.T > 1e-9), corr, 0.0)


def exact_correlation(a: Floats, b: Floats) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[both], b[both])[0, 1])


def linear_duplicates(features: list[Feature], columns: Floats) -> list[str]:
    """Pairs of features that are linearly dependent and not declared near duplicates."""
    with np.errstate(invalid="ignore"):
        suspects = np.argwhere(np.triu(np.abs(pairwise_correlations(standardised(columns[:, ::7]))) > SUSPICIOUS, k=1))
    reported = []
    for i, j in suspects:
        corr = exact_correlation(columns[i], columns[j])
        if abs(corr) >= ALIKE and not declared(features[i], features[j]):
            reported.append(f"{features[i].name} and {features[j].name}: correlation {corr:.9f}")
    return reported


def declared(a: Feature, b: Feature) -> bool:
    """Declared a near duplicate by either, or both are rare events, which may coincide within a month."""
    named = any(x.column.near_duplicate_of in (y.name, y.key) for x, y in ((a, b), (b, a)))
    return named or all(c.column.may_be_constant not in (None, FIXED_SPREAD) for c in (a, b))


def panel_with_a_whole_month() -> Specimen:
    """The panel of the other laws begins mid-month; this one has a whole month after its warm-up."""
    bars = synthetic_market(date(2018, 1, 21), date(2018, 3, 1), pairs=PANEL)
    return Specimen("a month", bars, {p: PairInfo(float(b.close[0])) for p, b in bars.items()})


def test_no_undeclared_duplicates_on_the_synthetic_market() -> None:
    reported = linear_duplicates(*month_of_values(panel_with_a_whole_month(), "eurusd"))
    assert not reported, "\n".join(reported)


@pytest.mark.data
@pytest.mark.parametrize("pair", ["eurusd", "gbpjpy"])
@pytest.mark.slow
def test_no_undeclared_duplicates_on_real_bars(pair: str) -> None:
    reported = linear_duplicates(*month_of_values(real("panel", "market28", "", 60_000), pair))
    assert not reported, "\n".join(reported)


def test_a_planted_duplicate_is_found() -> None:
    rng = np.random.default_rng(1)
    columns = rng.standard_normal((6, 5_000)).cumsum(axis=1)
    columns[4] = 3.0 - 1e-3 * columns[2]
    columns[4, ::5] = np.nan
    columns[5] = 1e6 + columns[1] + 0.3 * rng.standard_normal(5_000)  # close, but not a duplicate
    features = list(tables()["time_features"].features[:6])
    reported = linear_duplicates(features, columns)
    assert [line.split(":")[0] for line in reported] == [f"{features[2].name} and {features[4].name}"]


def test_correlations_use_common_rows() -> None:
    rng = np.random.default_rng(2)
    columns = 100.0 + 0.01 * rng.standard_normal((5, 400)).cumsum(axis=1)
    columns[1, :90], columns[3, 200:260] = np.nan, np.nan
    found = pairwise_correlations(standardised(columns))
    for i, j in combinations(range(5), 2):
        assert found[i, j] == pytest.approx(exact_correlation(columns[i], columns[j]), abs=1e-9)
