"""Momentum against its definitions, one bar at a time."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.families.bqx_momentum import FAMILY
from fxloom.features.domain import RATE
from fxloom.features.pair_view import PairFrame
from tests.families.walks import check_declarations, computed, frame, index_of, sample
from tests.markets import walk

NAMES = ["walk", pytest.param("market28/usdjpy", marks=pytest.mark.data)]
WINDOWS = {"w15": 15, "w30": 30, "w45": 45, "w60": 60, "w75": 75, "agg": 90}


def snapped(change: float) -> float:
    return 0.0 if abs(change) < 1e-12 else change


@pytest.mark.parametrize("name", NAMES)
def test_every_window_matches_its_definition(name: str) -> None:
    out, c = computed(FAMILY, RATE, name), index_of(name)
    for key, w in WINDOWS.items():
        for t in sample(2 * w, len(c)):
            p, before = c[t - w : t], c[t - 2 * w : t - w]
            expected = {
                "return": snapped(float(sum(v - c[t] for v in p)) / c[t]),
                "max": 1e4 * snapped(max(p) / c[t] - 1.0),
                "min": 1e4 * snapped(min(p) / c[t] - 1.0),
                "avg": 1e4 * snapped(p.mean() / before.mean() - 1.0),
                "stdev": p.std(ddof=1) if np.ptp(p) > 1e-11 else 0.0,
            }
            if key != "agg":
                expected["endpoint"] = snapped(c[t - w] / c[t] - 1.0)
            for metric, value in expected.items():
                assert out[f"{key}_bqx_{metric}"][t] == pytest.approx(value, rel=1e-9, abs=1e-10), (key, metric, t)


def test_momentum_over_ninety_minutes() -> None:
    out, c = computed(FAMILY, RATE), index_of()
    for t in sample(90, len(c)):
        p, r = c[t - 90 : t], np.diff(np.log(c[t - 90 : t + 1]))
        assert out["agg_bqx_range"][t] == pytest.approx(p.max() - p.min(), abs=1e-12)
        assert out["agg_bqx_volatility"][t] == pytest.approx(1e4 * r.std(ddof=1), rel=1e-9, abs=1e-12)


def test_a_still_price_has_zero_momentum() -> None:
    out, t = computed(FAMILY, RATE), int(frame().bars.observed[1_290])
    for name, column in out.items():
        assert column[t] == 0.0, name
        assert not np.signbit(column[t]), name


def test_columns_match_their_declarations() -> None:
    check_declarations(FAMILY, RATE)


def test_rounding_noise_of_the_index_is_not_a_move() -> None:
    bars = frame().bars
    price = np.full(400, 1.23457)
    flat = type(bars)(np.arange(400), price, price, price, price, None, None, np.arange(400))
    for baseline in (1.1, 1.23457, 0.007, 3.0):
        view = PairFrame("eurusd", flat, PairInfo(baseline)).view(RATE)
        assert all((column[180:] == 0.0).all() for column in FAMILY.compute(view).values())


def test_works_on_the_shortest_history() -> None:
    bars = walk().take(slice(3))
    view = PairFrame("eurusd", on_clock(bars), PairInfo(float(bars.close[0]))).view(RATE)
    assert all(np.isnan(column).all() for column in FAMILY.compute(view).values())
