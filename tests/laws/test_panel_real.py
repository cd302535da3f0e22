"""Panel tables on real prices: present values, reported gaps, and no duplicate features."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from fxloom.bars.pairs import PAIRS
from fxloom.families import cross_sectional_panel
from fxloom.features.domain import RATE
from fxloom.features.feature import Table
from fxloom.features.panel_view import PanelFrame
from tests.conftest import DATA, real_bars
from tests.laws.test_panel_laws import TABLES
from tests.markets import panel_frame

pytestmark = pytest.mark.data
IMAGES = 0.999999  # correlation from which two features count as duplicates
ALIKE = 0.9995  # on this data every pair of features stays below this tighter bound


def minute(day: str) -> int:
    return int(np.datetime64(day).astype("datetime64[m]").astype(np.int64))


@cache
def frame(folder: str, start: str, end: str) -> PanelFrame:
    pairs = sorted(f.stem for f in (DATA / folder).glob("*.parquet"))
    return panel_frame({p: real_bars(f"{folder}/{p}").between(minute(start), minute(end)) for p in pairs}, quotes=False)


@cache
def week() -> dict[str, dict[str, np.ndarray]]:
    """Table -> feature -> values of the first week of the 28 pairs."""
    found = {}
    for table in TABLES:
        columns = table.family.compute(frame("market28", "2018-02-05", "2018-02-14").view(table.domain))
        found[table.name] = {f.name: columns[f.key] for f in table.features}
    return found


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_values_are_present_finite_and_in_range(table: Table) -> None:
    view = frame("market28", "2018-02-05", "2018-02-14").view(table.domain)
    for f in table.features:
        values = week()[table.name][f.name]
        for i, pair in enumerate(PAIRS):
            rows = view.observed(pair)
            known = values[i, rows[rows >= f.column.warmup + (60 if f.column.anchor else 0)]]
            missing = np.isnan(known).mean()
            if f.name != "arb_z":  # crossed prices close their triangles, so every residual is 0
                assert missing < 0.05, (f.name, pair)
        known = values[~np.isnan(values)]
        assert np.isfinite(known).all()
        assert f.column.low - 1e-9 <= known.min() < known.max() <= f.column.high + 1e-9, f.name


@pytest.mark.parametrize("pair", ["audjpy", "eurusd", "gbpnzd", "usdchf"])
def test_no_two_features_are_duplicates(pair: str) -> None:
    i = PAIRS.index(pair)
    rows = frame("market28", "2018-02-05", "2018-02-14").view(RATE).observed(pair)
    names = [name for columns in week().values() for name in columns]
    values = np.array([column[i, rows] for columns in week().values() for column in columns.values()])
    known = ~np.isnan(values)
    centred = np.where(known, values - np.nanmean(values, axis=1, keepdims=True), 0.0)
    size = np.maximum(np.sqrt((centred**2).sum(axis=1)), 1e-100)
    near = centred @ centred.T / np.outer(size, size)
    for a, b in np.argwhere(np.triu(np.abs(near) > 0.95, 1)):
        both = known[a] & known[b]
        alike = abs(np.corrcoef(values[a, both], values[b, both])[0, 1])
        assert alike < ALIKE < IMAGES, (names[a], names[b], alike)


def test_a_pair_absent_for_a_week_is_reported_not_filled() -> None:
    panel = frame("panel15", "2018-03-14", "2018-03-31")  # eurjpy lacks 24 to 30 March
    away = np.flatnonzero((panel.ts >= minute("2018-03-26")) & (panel.ts < minute("2018-03-30")))
    for table in TABLES:
        view = panel.view(table.domain)
        j = view.pairs.index("eurjpy")
        assert not view.present[j, away].any()
        assert not view.in_domain(RATE).r[j, away].any()  # its price is still, not missing
        if table.family.name == "correlation":
            columns = table.family.compute(view)
            usdcad, cross = view.pairs.index("usdcad"), columns["corr_cross_60"]
            assert np.isfinite(cross[usdcad, away]).mean() > 0.99  # the other pairs go on
            absent = {n: where for _, where, names in view.missing for n in names}["corr_quote_60"]
            assert absent[j].all()  # it is the only pair with the yen


def test_rank_stability_uses_only_pairs_present_at_both_times() -> None:
    panel = frame("market28", "2018-02-25", "2018-03-06")
    view = panel.view(RATE)
    values = cross_sectional_panel.compute(view)["panel_rank_stability"]
    at = np.searchsorted(panel.ts, [minute("2018-03-04T23:00"), minute("2018-03-05T00:14")])
    assert np.isnan(values[:, at[0]]).all()  # first minute after the weekend: too few pairs an hour before
    assert values[view.pairs.index("eurusd"), at[1]] == pytest.approx(0.32121, abs=5e-6)
