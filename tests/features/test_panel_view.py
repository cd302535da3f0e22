"""The panel clock: carried closes, presence and spreads of pairs."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PAIRS, PairInfo
from fxloom.features.domain import RATE
from fxloom.features.pair_view import PairFrame
from fxloom.features.panel_view import CARRY, PanelFrame, panel_minutes
from fxloom.series.pair import spread_bp
from fxloom.series.panel import own_spread
from fxloom.series.siblings import members_of, relate, system_of, triangles_of
from tests.markets import START, banded_bars


def bars_at(minutes: list[int], price: float = 1.25, spread: float = 1e-4) -> Bars:
    close = price + 1e-4 * np.arange(float(len(minutes)))
    return banded_bars(START + np.array(minutes, np.int64), close, up=2e-4, spread=spread)


def frame_of(bars: dict[str, Bars], quotes: bool = True) -> PanelFrame:
    return PanelFrame(bars, {p: PairInfo(1.25, True, quotes) for p in bars})


def test_the_clock_fills_gaps_of_the_union_up_to_an_hour() -> None:
    ts = panel_minutes([START + np.array([0, 2]), START + np.array([5, 65, 126])])
    assert (ts - START).tolist() == [*range(66), 126]  # 60 minutes are filled, 61 are a closure


def test_the_clock_of_nothing_is_empty() -> None:
    assert len(panel_minutes([])) == 0
    assert len(panel_minutes([np.empty(0, np.int64)])) == 0
    frame = frame_of({"eurusd": bars_at([])})
    assert frame.price.shape == (1, 0)


def test_one_pair_has_its_own_clock() -> None:
    bars = bars_at([0, 1, 30, 100, 160, 221])
    assert np.array_equal(panel_minutes([bars.ts]), on_clock(bars).ts)


def test_closes_are_carried_and_presence_lasts_an_hour() -> None:
    frame = frame_of({"eurusd": bars_at(list(range(200))), "gbpusd": bars_at([10, 11, 150])})
    view = frame.view(RATE)
    price, present = view.price[1], view.present[1]
    assert np.isnan(price[:10]).all()
    assert not np.isnan(price[10:]).any()
    assert np.flatnonzero(present).tolist() == [*range(10, 72), *range(150, 200)]
    assert view.r[1][150] == pytest.approx(np.log(price[150] / price[11]))  # the whole move, after the gap
    assert set(view.r[1][12:150]) == {0.0}
    assert view.observed("gbpusd").tolist() == [10, 11, 150]


def test_presence_counts_wall_clock_minutes_through_a_closure() -> None:
    frame = frame_of({"eurusd": bars_at([0, 1, 70]), "gbpusd": bars_at([0, 1, 71])})
    assert frame.present[1].tolist() == [True, True, False, True]  # at 70 its last bar is 69 minutes old


def test_a_close_is_carried_over_7200_clock_bars_at_most() -> None:
    frame = frame_of({"eurusd": bars_at(list(range(CARRY + 300))), "gbpusd": bars_at([5, CARRY + 250])})
    known = ~np.isnan(frame.price[1])
    assert np.flatnonzero(known)[[0, CARRY]].tolist() == [5, CARRY + 5]
    assert not known[CARRY + 6 : CARRY + 250].any()
    assert known[CARRY + 250 :].all()
    assert np.isnan(frame.view(RATE).r[1][CARRY + 250])  # no close to move from


def test_quoted_spreads_hold_while_a_pair_is_present() -> None:
    frame = frame_of({"eurusd": bars_at(list(range(200))), "gbpusd": bars_at([10, 11, 150], spread=2e-4)})
    spread = own_spread(frame.view(RATE))[1]
    assert spread[11] == spread[71] == pytest.approx(1e4 * 2e-4 / 1.2501)
    assert np.isnan(spread[72:150]).all()
    assert np.isnan(spread[:10]).all()


def test_estimated_spreads_come_from_the_pairs_own_clock() -> None:
    rng = np.random.default_rng(2)
    minutes = sorted(rng.choice(400, 250, replace=False).tolist())
    close = 1.25 + 1e-4 * np.cumsum(rng.standard_normal(250))
    bars = banded_bars(START + np.array(minutes), close, up=2e-4)
    frame = frame_of({"eurusd": bars_at(list(range(400))), "gbpusd": bars}, quotes=False)
    own = PairFrame("gbpusd", on_clock(bars), PairInfo(1.25, True, False))
    estimate = dict(zip(own.bars.ts.tolist(), spread_bp(own.view(RATE)), strict=True))
    for t in (100, 200, 399):
        last = max(m for m in minutes if m <= t)
        got = own_spread(frame.view(RATE))[1][t]
        assert got == estimate[START + last] or (np.isnan(got) and np.isnan(estimate[START + last]))


def test_an_estimate_from_before_a_gap_longer_than_the_carry_is_missing() -> None:
    away = list(range(100, 100 + CARRY + 40))
    others = bars_at(list(range(100 + CARRY + 300)))
    rng = np.random.default_rng(3)
    gbp = bars_at([m for m in range(100 + CARRY + 300) if m not in set(away)])
    close = gbp.close + 1e-4 * np.cumsum(rng.standard_normal(len(gbp)))
    gbp = banded_bars(gbp.ts, close, up=2e-4)
    spread = own_spread(frame_of({"eurusd": others, "gbpusd": gbp}, quotes=False).view(RATE))[1]
    back = 100 + CARRY + 40
    assert np.isnan(spread[back : back + 59]).all()
    assert not np.isnan(spread[99])
    assert not np.isnan(spread[back + 59])


def test_views_share_work_and_slice_it() -> None:
    frame = frame_of({"eurusd": bars_at(list(range(200))), "gbpusd": bars_at(list(range(200)))})
    whole, late = frame.view(RATE).momentum(15), frame.view(RATE, 50).momentum(15)
    assert np.shares_memory(whole, late)
    assert np.array_equal(whole[:, 50:], late, equal_nan=True)
    assert len(frame.view(RATE, 50)) == 150


def test_every_pair_has_six_siblings_on_each_side_and_fifteen_elsewhere() -> None:
    for which, number in ((0, 6), (1, 6), (2, 15)):
        members, signs = members_of(PAIRS, which)
        assert members.shape == (28, number)
        assert set(np.abs(signs).ravel()) == {1.0}


def test_signs_follow_the_position_of_the_shared_currency() -> None:
    assert relate("gbpusd", "eurgbp") == (0, -1.0)
    assert relate("gbpusd", "audusd") == (1, 1.0)
    assert relate("gbpusd", "usdjpy") == (1, -1.0)
    assert relate("gbpusd", "eurjpy") == (2, 1.0)


def test_no_three_pairs_of_a_system_form_a_triangle() -> None:
    for pair in PAIRS:
        letters = "".join(system_of(pair))
        assert len({letters[i : i + 3] for i in range(0, 18, 3)}) == 4


def test_a_triangle_closes_where_prices_are_crossed() -> None:
    value = {c: 0.1 * i for i, c in enumerate(sorted({p[:3] for p in PAIRS} | {p[3:] for p in PAIRS}))}
    log_price = {p: value[p[:3]] - value[p[3:]] for p in PAIRS}
    for pair in PAIRS:
        errors = [log_price[pair] + s * log_price[a] + v * log_price[b] for a, s, b, v in triangles_of(pair)]
        assert len(errors) == 6
        assert max(map(abs, errors)) < 1e-12


def test_frame_arrays_do_not_grow_with_absent_pairs() -> None:
    frame = frame_of({"eurusd": bars_at([0, 1]), "gbpusd": bars_at([])})
    assert np.isnan(frame.price[1]).all()
    assert not frame.present[1].any()
    assert sys.getsizeof(frame.positions["gbpusd"]) < 200
