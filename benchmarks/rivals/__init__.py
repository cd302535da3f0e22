"""Scripts one would write without fxloom, straight from the definitions: pandas, TA-Lib and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.rivals import panel
from benchmarks.rivals.panel import PanelScript
from benchmarks.rivals.script import Script

Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Rival:
    """A script for one family, its libraries, and how many of the last bars it is timed on (None: all)."""

    compute: Callable[[Script], Numbers]
    tools: str
    stretch: int | None = None
    remark: str = ""


@dataclass(frozen=True)
class PanelRival:
    """A script for one panel family, timed on the month's last ``rows`` bars after ``before`` earlier ones."""

    compute: Callable[[PanelScript], Mapping[str, pd.DataFrame]]
    tools: str
    rows: int
    before: int = 500


PANEL = {
    "correlation": PanelRival(panel.correlation, "pandas rolling, pair by pair", 6_000),
    "error_correction": PanelRival(panel.error_correction, "statsmodels, hour by hour", 480, 1_600),
    "cross_sectional_panel": PanelRival(panel.cross_section, "pandas", 6_000),
    "currency_strength": PanelRival(panel.currency_strength, "pandas", 6_000),
    "arbitrage": PanelRival(panel.arbitrage, "pandas", 6_000),
}


def rivals() -> dict[str, Rival]:
    """The scripts by family. Importing their libraries is not timed."""
    from benchmarks.rivals import indicators, models, prices, rolling, scales, spectra, trade, volatility

    return {
        "bqx_momentum": Rival(rolling.bqx_momentum, "pandas rolling"),
        "reg": Rival(prices.reg, "numpy polyfit row by row", 300),
        "statistics": Rival(rolling.statistics, "pandas rolling"),
        "bollinger": Rival(rolling.bollinger, "pandas rolling"),
        "technical": Rival(indicators.technical, "TA-Lib"),
        "fibonacci": Rival(rolling.fibonacci, "pandas rolling, argmax row by row"),
        "volume_features": Rival(trade.volume_features, "pandas rolling, scipy.stats"),
        "spread_features": Rival(trade.spread_features, "pandas rolling, bidask"),
        "time_features": Rival(indicators.time_features, "pandas, holidays"),
        "parabolic_comparison": Rival(prices.parabolic_comparison, "numpy polyfit row by row, pandas", 900),
        "term_covariance": Rival(prices.term_covariance, "numpy polyfit row by row, pandas", 600),
        "realized_volatility": Rival(volatility.realized_volatility, "pandas rolling"),
        "hmm_regime": Rival(models.hmm_regime, "hmmlearn, numpy bar by bar"),
        "volatility_surface": Rival(
            models.volatility_surface, "arch, pandas rolling", remark="arch stops at other optima"
        ),
        "market_regime": Rival(volatility.market_regime, "pandas rolling"),
        "multi_scale_30m": Rival(scales.half_hour, "pandas resample, TA-Lib"),
        "multi_scale_60m": Rival(scales.hour, "pandas resample, TA-Lib"),
        "spectral_features": Rival(spectra.spectral_features, "scipy.signal, numpy row by row", 1_500),
        "wavelet_features": Rival(spectra.wavelet_features, "PyWavelets row by row", 800),
        "ssa_features": Rival(spectra.ssa_features, "numpy.linalg row by row", 800),
        "advanced_microstructure": Rival(trade.advanced_microstructure, "pandas rolling, bidask"),
        "liquidity_metrics": Rival(trade.liquidity_metrics, "pandas rolling"),
        "lagged_cross_window": Rival(rolling.lagged_cross_window, "pandas rolling"),
    }
