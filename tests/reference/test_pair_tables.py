"""All 888 features of one pair against their definitions, recomputed from scratch with numpy and scipy.

The modules beside this one share nothing with the package or with the families' own tests. Rows are
drawn at random, plus the row at which each feature is declared to begin and the one before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from fxloom.api import compute
from fxloom.bars.bars import Bars
from fxloom.features.catalogue import tables as catalogue_tables
from tests.conftest import real_bars, real_quotes
from tests.markets import long_quoted_walk
from tests.reference import flows, liquidity, models, prices, regimes, transforms
from tests.reference.market import DomainView, Market, build

Definition = Callable[[DomainView, int], dict[str, float]]
DEFINITIONS: dict[str, Definition] = {
    "bqx_momentum": prices.bqx_momentum,
    "reg": prices.reg,
    "statistics": prices.statistics,
    "bollinger": prices.bollinger,
    "technical": prices.technical,
    "fibonacci": prices.fibonacci,
    "parabolic_comparison": prices.parabolic_comparison,
    "term_covariance": prices.term_covariance,
    "volume_features": flows.volume_features,
    "spread_features": flows.spread_features,
    "time_features": flows.time_features,
    "lagged_cross_window": flows.lagged_cross_window,
    "realized_volatility": regimes.realized_volatility,
    "market_regime": regimes.market_regime,
    "multi_scale_30m": lambda s, t: regimes.multi_scale(s, t, 30),
    "multi_scale_60m": lambda s, t: regimes.multi_scale(s, t, 60),
    "spectral_features": transforms.spectral_features,
    "wavelet_features": transforms.wavelet_features,
    "ssa_features": transforms.ssa_features,
    "advanced_microstructure": liquidity.advanced_microstructure,
    "liquidity_metrics": liquidity.liquidity_metrics,
    "hmm_regime": models.hmm_regime,
    "volatility_surface": models.volatility_surface,
}
FITTED = {"hmm": 1e-9, "garch": 1e-5}  # tolerance between two fits, by the feature's first word
ROWS = 25
UNIFORM = ("multi_scale_30m", "multi_scale_60m")  # warm-ups count full bins of bars, however few bars the bins hold


SAMPLES: dict[str, tuple[str, Callable[[], Bars]]] = {
    "synthetic": ("eurusd", long_quoted_walk),
    "synthetic prices only": ("eurusd", lambda: replace(long_quoted_walk(), volume=None, spread=None)),
    "eurusd": ("eurusd", lambda: real_bars("market28/eurusd").take(slice(8_500))),
    "eurusd for weeks": ("eurusd", lambda: real_bars("market28/eurusd").take(slice(14_800))),
    "gbpusd": ("gbpusd", lambda: real_bars("long9/gbpusd").take(slice(30_000, 38_500))),
    "usdjpy": ("usdjpy", lambda: real_bars("market28/usdjpy").take(slice(8_500))),
    "nzdusd with quotes": ("nzdusd", lambda: real_quotes("quotes/oanda_2014/nzdusd").take(slice(8_500))),
}
WEEKLY = ("hmm_regime", "volatility_surface")
LONG = ("synthetic", "eurusd for weeks")  # samples with 7,200 bars before a Sunday
TRADED = ("volume_features", "spread_features", "advanced_microstructure", "liquidity_metrics")


def covers(family: str, name: str) -> bool:
    """Whether ``family`` is checked on a sample."""
    if family in WEEKLY:
        return name in LONG
    return family in TRADED if name.endswith(("prices only", "quotes")) else not name.endswith("weeks")


CASES = [
    pytest.param(family, name, marks=() if name.startswith("synthetic") else pytest.mark.data)
    for family in DEFINITIONS
    for name in SAMPLES
    if covers(family, name)
]


@cache
def sample(name: str) -> tuple[str, Bars, Market]:
    pair, make = SAMPLES[name]
    bars = make()
    prices_of = (bars.open, bars.high, bars.low, bars.close)
    return pair, bars, build(pair, bars.ts.tolist(), prices_of, bars.volume, bars.spread)


@cache
def domain_view(name: str, domain: str) -> DomainView:
    market = sample(name)[2]
    return market.memo.setdefault(("domain_view", domain), DomainView(market, domain))


def chosen_rows(market: Market, table: Any, synthetic: bool, seed: int) -> list[int]:
    """Positions among the observed bars."""
    warmups = {f.column.warmup for f in table.features if f.column.anchor is None}
    if synthetic:  # the standstill and after, and the stretch without volume
        spots = np.array([3_999, 4_001, 4_005, 4_012, 4_020, 4_040, 4_065, 4_100, 4_130, 4_200, 4_249, 4_250, 4_251])
        rough = {*spots.tolist(), *(spots + 20).tolist(), *range(4_265, 4_500, 23), *range(5_500, 5_700, 19)}
    else:
        rough = set()
    edges = {i for w in warmups for i in np.searchsorted(market.rows, [w - 1, w]) if 0 <= i < len(market.rows)}
    late = set(range(len(market.rows) - 400, len(market.rows), 57))  # models start late
    return sorted(edges | rough | late | set(np.random.default_rng(seed).integers(0, len(market.rows), ROWS).tolist()))


def tables_of(family: str) -> list[Any]:
    return [t for t in catalogue_tables().values() if t.family.name == family]


@pytest.mark.parametrize(("family", "name"), CASES)
def test_features_match_their_definitions(family: str, name: str) -> None:
    pair, bars, market = sample(name)
    tables = tables_of(family)
    frames = compute(bars, pair, baseline="first close", tables=[t.name for t in tables], complete=True)
    wrong = []
    for table in tables:
        columns = {f.key: frames[table.name][f.name].to_numpy() for f in table.features}
        rows = chosen_rows(market, table, name.startswith("synthetic"), 7)
        wrong += differences(table, columns, rows, domain_view(name, table.domain.name), DEFINITIONS[family])
    assert not wrong, "\n".join(wrong[:40])


def differences(
    table: Any, columns: dict[str, Any], rows: list[int], view: DomainView, definition: Definition
) -> list[str]:
    """Values that differ from the definition; a feature with too few values to compare is named too."""
    market = view.market
    wrong, compared = [], dict.fromkeys(columns, 0)
    with np.errstate(all="ignore"):
        scales = {key: np.nanstd(values) for key, values in columns.items()}
        for row in rows:
            want = definition(view, int(market.rows[row]))
            assert set(want) == set(columns), set(want) ^ set(columns)
            for f in table.features:
                early = table.family.name in UNIFORM and market.rows[row] < f.column.warmup
                got, expected = float(columns[f.key][row]), np.nan if early else float(want[f.key])
                near = abs(got - expected) <= FITTED.get(f.key.partition("_")[0], 1e-9) * max(
                    abs(expected), scales[f.key]
                )
                compared[f.key] += bool(near)
                if not (near or (np.isnan(got) and np.isnan(expected))):
                    wrong.append(f"{f.name} at {market.rows[row]}: {got!r}, not {expected!r} (std {scales[f.key]:.3g})")
    return wrong + [f"{key}: compared {count} times" for key, count in compared.items() if count < 5]
