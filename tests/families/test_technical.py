"""The technical family against TA-Lib on synthetic and real bars, its 0/0 rules, and its memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import talib

from fxloom.bars.bars import Bars
from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.families import technical
from fxloom.features.domain import BOTH, BQX, RATE, Domain
from fxloom.features.feature import Columns
from fxloom.features.pair_view import PairFrame, View
from tests.conftest import real_bars
from tests.markets import tied_walk

NAMES = {domain: {c.name: c for c in technical.columns(domain)} for domain in BOTH}
WINDOWS = {"stoch_k", "stoch_d", "stochrsi_k", "stochrsi_d", "cci_20", "willr_14", "mfi_14", "ultosc"}  # may be missing

SIMPLE, EXPONENTIAL = talib.MA_Type.SMA, talib.MA_Type.EMA  # kinds of moving averages


def view_of(bars: Bars, domain: Domain) -> View:
    info = PairInfo(float(bars.close[0]), has_volume=bars.volume is not None)
    return PairFrame("eurusd", on_clock(bars), info).view(domain)


def by_talib(view: View) -> Columns:
    o, h, l, c = view.ohlc
    bars = (h, l, c)
    if view.domain is RATE:
        prices = view.frame.bars
        ticks = (np.round(prices.high * 1e9), np.round(prices.low * 1e9), np.round(prices.close * 1e9))
    else:
        ticks = bars
    macd, signal, hist = talib.MACD(c, 12, 26, 9)
    stoch_k, stoch_d = talib.STOCH(*bars, 14, 3, SIMPLE, 3, SIMPLE)
    stochrsi_k, stochrsi_d = talib.STOCHRSI(c, 14, 14, 3, SIMPLE)
    down, up = talib.AROON(h, l, 25)
    values = {
        "rsi_14": talib.RSI(c, 14), "rsi_21": talib.RSI(c, 21),
        "macd": macd, "macd_signal": signal, "macd_hist": hist,
        "stoch_k": stoch_k, "stoch_d": stoch_d, "stochrsi_k": stochrsi_k, "stochrsi_d": stochrsi_d,
        "dx_14": talib.DX(*ticks, 14), "adx_14": talib.ADX(*ticks, 14), "adxr_14": talib.ADXR(*ticks, 14),
        "plus_di_14": talib.PLUS_DI(*ticks, 14), "minus_di_14": talib.MINUS_DI(*ticks, 14),
        "cci_20": talib.CCI(*bars, 20), "willr_14": talib.WILLR(*bars, 14),
        "roc_12": talib.ROC(c, 12), "mom_10": talib.MOM(c, 10),
        "atr_14": talib.ATR(*bars, 14), "natr_60": talib.NATR(*bars, 60),
        "aroon_up_25": up, "aroon_down_25": down,
        "ultosc": talib.ULTOSC(*bars, 7, 14, 28), "trix_15": talib.TRIX(c, 15),
        "ppo_5_35": talib.PPO(c, 5, 35, EXPONENTIAL),
        "cmo_9": talib.CMO(c, 9), "mfi_14": talib.MFI(*bars, view.volume, 14), "bop": talib.BOP(o, *bars),
        "sar_dist": 100.0 * (ticks[2] - talib.SAR(*ticks[:2], 0.02, 0.2)) / ticks[2],
        "kama_dist": 100.0 * (c / talib.KAMA(c, 30) - 1.0),
    }  # fmt: skip
    return {f"tech_{name}": column for name, column in values.items()}


def assert_agreement(view: View, most_missing: float) -> None:
    got, want = technical.compute(view), by_talib(view)
    assert list(want) == list(NAMES[view.domain])
    for name, column in want.items():
        warmup, values = NAMES[view.domain][name].warmup, got[name]
        assert np.flatnonzero(~np.isnan(column))[0] == warmup, name
        assert np.isnan(values[:warmup]).all(), name
        there = ~np.isnan(values)
        missing = 1.0 - there[warmup:].mean()
        assert missing <= (most_missing if name.removeprefix("tech_") in WINDOWS else 0.0), (name, missing)
        error = np.abs(values - column)[there]
        scale = np.maximum(np.abs(column[there]), np.nanstd(column))
        assert (error <= 1e-8 * scale).all(), (name, (error / scale).max())


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_agrees_with_talib(domain: Domain) -> None:
    assert_agreement(view_of(tied_walk(6000, 1), domain), 0.005)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_agrees_with_talib_through_a_standstill(domain: Domain) -> None:
    view = view_of(tied_walk(6000, 2, (2000, 2300)), domain)
    assert_agreement(view, 0.07)


@pytest.mark.data
@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", ["market28/eurusd", "market28/cadjpy", "market28/audnzd", "long9/gbpusd"])
def test_agrees_with_talib_on_real_bars(name: str, domain: Domain) -> None:
    assert_agreement(view_of(real_bars(name), domain), 0.02)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_0_over_0_is_missing_or_0_as_documented(domain: Domain) -> None:
    view = view_of(tied_walk(3000, 3, (1000, 1400)), domain)
    got = technical.compute(view)
    _, high, low, close = view.ohlc
    still = np.flatnonzero(np.r_[0.0, np.diff(close)] == 0.0)
    run = still[(still > 1100) & (still < 1350)]
    middle = slice(run[60], run[60] + 100)  # at least 28 bars before it are still too
    assert np.ptp(close[middle]) == 0.0
    for name in WINDOWS:
        assert np.isnan(got[f"tech_{name}"][middle]).all(), name
    assert (got["tech_bop"][middle] == 0.0).all()
    assert (got["tech_roc_12"][middle] == 0.0).all()
    assert (got["tech_mom_10"][middle] == 0.0).all()
    assert np.isfinite(got["tech_rsi_14"][middle]).all()
    assert (got["tech_bop"][(high == low)] == 0.0).all()


def first_zero_range(view: View) -> int:
    """A row whose 14-bar range is 0 and the previous one is not."""
    _, high, low, _ = view.ohlc
    windows = np.lib.stride_tricks.sliding_window_view
    reach = windows(high, 14).max(axis=1) - windows(low, 14).min(axis=1)
    return int(np.flatnonzero(reach == 0.0)[0]) + 13


def test_one_empty_range_invalidates_every_average_that_uses_it() -> None:
    view = view_of(tied_walk(3000, 4, (1000, 1014 + 13)), RATE)
    got, t = technical.compute(view), first_zero_range(view)
    last = t + int(np.isnan(got["tech_willr_14"][t:]).argmin()) - 1
    for name, after in (("willr_14", 0), ("stoch_k", 2), ("stoch_d", 4)):
        missing = np.flatnonzero(np.isnan(got[f"tech_{name}"][200:])) + 200
        assert (missing[0], missing[-1]) == (t, last + after), name


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_mfi_is_missing_without_flow(domain: Domain) -> None:
    bars = tied_walk(1500, 5)
    assert bars.volume is not None
    quiet = bars.volume.copy()
    quiet[700:760] = 0.0
    view = view_of(replace(bars, volume=quiet), domain)
    values = technical.compute(view)["tech_mfi_14"]
    empty = np.lib.stride_tricks.sliding_window_view(view.volume, 14).max(axis=1) == 0.0
    assert empty.sum() >= 47
    np.testing.assert_array_equal(np.isnan(values[13:])[50:], empty[50:])


def test_all_values_are_in_range() -> None:
    for domain in BOTH:
        for seed, still in ((6, (0, 0)), (7, (1500, 2700))):
            for name, values in technical.compute(view_of(tied_walk(4000, seed, still), domain)).items():
                column, there = NAMES[domain][name], values[~np.isnan(values)]
                assert there.min() >= column.low, name
                assert there.max() <= column.high, name
                assert not np.isinf(there).any(), name
                assert not (np.signbit(there) & (there == 0.0)).any(), name


# -- memory ----------------------------------------------------------------------------------------------------------


def views_from(bars: Bars, domain: Domain, starts: list[int]) -> Iterator[View]:
    frame = PairFrame("eurusd", on_clock(bars), PairInfo(bars.close[0], has_volume=bars.volume is not None))
    for start in starts:
        frame.work.clear()
        yield frame.view(domain, start)


def assert_memory(bars: Bars, domain: Domain, starts: list[int], rows: int) -> None:
    """After its declared lookback, every value equals that of the whole history."""
    whole, *parts = [technical.compute(view) for view in views_from(bars, domain, [0, *starts])]
    for start, part in zip(starts, parts, strict=True):
        for name, column in NAMES[domain].items():
            want = whole[name][start + column.lookback :][:rows]
            got = part[name][column.lookback :][:rows]
            scale = np.maximum(np.abs(want), np.nanstd(whole[name])) if column.recursive else 0.0
            np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=name)
            assert not (np.abs(got - want) > 1e-9 * scale).any(), (name, start)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_the_declared_lookback_gives_the_same_values(domain: Domain) -> None:
    assert_memory(tied_walk(14_000, 8), domain, [1, 500, 4321], 3000)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_a_bad_tick_has_no_effect_after_the_declared_lookback(domain: Domain) -> None:
    bars = tied_walk(14_000, 9)
    close, high = bars.close.copy(), bars.high.copy()
    close[3000] *= 1.01
    high[3000] = close[3000]
    at = int(on_clock(bars).observed[3000])
    assert_memory(replace(bars, close=close, high=high), domain, [at - 15, at, at + 1], 2000)


@pytest.mark.parametrize("length", [100, 690, 1500, 3000])
def test_a_still_price_of_any_length_leaves_no_trace(length: int) -> None:
    bars = tied_walk(16_000, 10, (6000, 6000 + length))
    begin = int(on_clock(bars).observed[6000])
    starts = [begin - d for d in (1200, 800, 700, 300, 0)] + [begin + d for d in (5, 50, length // 2)]
    assert_memory(bars, RATE, starts, 4000)


@pytest.mark.data
@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
@pytest.mark.parametrize("name", ["market28/eurusd", "market28/nzdcad", "long9/gbpusd"])
def test_real_bars_have_no_effect_after_the_lookback(name: str, domain: Domain) -> None:
    assert_memory(real_bars(name).take(slice(0, 40_000)), domain, [777, 12_345, 30_000], 3000)


def test_bqx_starts_at_the_first_complete_bar() -> None:
    view = view_of(tied_walk(200, 11), BQX)
    assert np.flatnonzero(~np.isnan(technical.compute(view)["tech_bop"]))[0] == 19


def test_touching_the_stop_reverses_it_for_any_baseline() -> None:
    """Exact decimal ties are decided on prices; on the index, rounding would decide, depending on the baseline."""
    bars = on_clock(tied_walk(6000, 4))
    high, low, close = (np.round(1e5 * price) for price in (bars.high, bars.low, bars.close))
    on_prices = 100.0 * (close - talib.SAR(high, low, 0.02, 0.2)) / close
    turned = 0
    for baseline in (1.1, 0.777, 1.31, 1.07):
        high, low, close = (100.0 * price / baseline for price in (bars.high, bars.low, bars.close))
        on_index = 100.0 * (close - talib.SAR(high, low, 0.02, 0.2)) / close
        turned += int((np.abs(on_index - on_prices) > 1e-6).sum())
        got = technical.compute(PairFrame("eurusd", bars, PairInfo(baseline)).view(RATE))["tech_sar_dist"]
        np.testing.assert_allclose(got, on_prices, rtol=0, atol=1e-9)
    assert turned > 0  # the bars contain such ties


def test_directions_do_not_depend_on_the_baseline() -> None:
    bars = tied_walk(2000, 12)
    frame = on_clock(bars)
    one, other = (technical.compute(PairFrame("eurusd", frame, PairInfo(b)).view(RATE)) for b in (1.1, 0.777))
    for name in ("dx_14", "adx_14", "adxr_14", "plus_di_14", "minus_di_14", "sar_dist"):
        np.testing.assert_array_equal(one[f"tech_{name}"], other[f"tech_{name}"])
