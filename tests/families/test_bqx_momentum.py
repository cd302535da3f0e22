"""Momentum of still prices, rounding noise and short histories; declared warm-ups and ranges."""

from __future__ import annotations

import numpy as np

from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.families.bqx_momentum import FAMILY
from fxloom.features.domain import RATE
from fxloom.features.pair_view import PairFrame
from tests.families.walks import check_declarations, computed, frame
from tests.markets import walk


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
