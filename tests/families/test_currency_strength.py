"""How much data currency strengths and breadth need."""

from __future__ import annotations

import numpy as np

from fxloom.families import currency_strength
from fxloom.features.domain import RATE
from tests.markets import START, flat_bars, panel_frame


def test_two_currencies_have_no_ranks() -> None:
    ts = START + np.arange(200)
    bars = {"eurusd": flat_bars(ts, 1.2 * np.exp(2e-5 * np.arange(200)))}
    alone = currency_strength.compute(panel_frame(bars, quotes=False).view(RATE))
    assert np.isfinite(alone["cs_base_60"][0, 60:]).all()
    assert np.isnan(alone["cs_base_rank"]).all()
    bars["gbpusd"] = flat_bars(ts, 1.4 * np.exp(1e-5 * np.arange(200)))
    three = currency_strength.compute(panel_frame(bars, quotes=False).view(RATE))
    assert (three["cs_base_rank"][0, 60:] == 1.0).all()  # eur rises most, usd falls
    assert (three["cs_quote_rank"][0, 60:] == 0.0).all()


def test_breadth_needs_siblings_in_a_quarter_of_the_bars() -> None:
    """The only sibling by the base comes back after hours: a value from its 15th bar of 60 on."""
    ts = START + np.arange(600)
    price = np.exp(1e-5 * np.arange(600) * (-1.0) ** np.arange(600))
    bars = {"eurusd": flat_bars(ts, 1.2 * price), "eurgbp": flat_bars(ts, 0.85 * price)}
    bars["eurgbp"] = bars["eurgbp"].take((ts < START + 100) | (ts >= START + 400))
    view = panel_frame(bars, quotes=False).view(RATE)
    breadth = currency_strength.compute(view)["cs_breadth_60"][view.pairs.index("eurusd")]
    assert np.isnan(breadth[300:414]).all()
    assert np.isfinite(breadth[414:]).all()
