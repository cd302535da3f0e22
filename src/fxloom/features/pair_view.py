"""What a family of one pair sees: arrays on the pair's clock, in one domain, from its table's start on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.clock import ClockBars
from fxloom.bars.pairs import PairInfo, pip_of
from fxloom.features.base_view import BaseView
from fxloom.features.domain import BQX, RATE, Domain
from fxloom.features.shared_work import SharedWork
from fxloom.kernels.momentum import backward_momentum, five_minute_bars, log_changes


@dataclass(eq=False)
class PairFrame:
    """The clock bars of one pair that a task needs, and the series that its tables share."""

    pair: str
    bars: ClockBars
    info: PairInfo
    work: SharedWork = field(default_factory=SharedWork)

    def view(self, domain: Domain, start: int = 0, first: int = 0) -> View:
        """The frame from clock position ``start`` on; rows are wanted from position ``first`` on."""
        return View(self, domain, start, max(first, start))


class View(BaseView[PairFrame]):
    """One domain of a pair from a start on. All arrays are float64 on the clock, of length ``len(view)``."""

    def __len__(self) -> int:
        return len(self.frame.bars) - self.start

    # -- the pair's own bars -------------------------------------------------------------------------------------

    @property
    def pair(self) -> str:
        """The pair's name, such as "eurusd"."""
        return self.frame.pair

    @property
    def ts(self) -> Ints:
        """Open times of the clock bars, minutes since 1970 (int64)."""
        return self.frame.bars.ts[self.start :]

    @property
    def observed(self) -> Flags:
        """True at bars of the source, False at filled minutes."""
        flags = np.zeros(len(self), np.bool_)
        positions = self.frame.bars.observed
        flags[positions[positions >= self.start] - self.start] = True
        return flags

    @property
    def price(self) -> Floats:
        """Close prices as quoted."""
        return self.frame.bars.close[self.start :]

    @property
    def close_index(self) -> Floats:
        """C, the rate index of the close, in both domains."""
        return self.shared_by_domains(rate_index, "close")

    @property
    def volume(self) -> Floats:
        """V: ticks or units of the minute; the proxy from the range for a pair whose source has no volume.

        NaN where a pair that has volume lacks it: a proxy never replaces single bars, since values would then depend on
        which months are computed together.
        """
        bars = self.frame.bars
        if not self.frame.info.has_volume:
            return self.shared_by_domains(volume_proxy)
        return self.shared_by_domains(missing_volume) if bars.volume is None else bars.volume[self.start :]

    @property
    def quoted_spread(self) -> Floats | None:
        """The quoted spread in price units; None for a pair whose source has no quotes, so that a proxy is needed.

        NaN where a pair that has quotes lacks them.
        """
        bars = self.frame.bars
        if not self.frame.info.has_quotes:
            return None
        return np.full(len(self), np.nan) if bars.spread is None else bars.spread[self.start :]

    def lacks(self, inputs: Iterable[str]) -> Flags:
        """Where the bars lack one of ``inputs`` ("volume", "spread") that the pair has (n)."""
        info, lacking = self.frame.info, np.zeros(len(self), np.bool_)
        if "volume" in inputs and info.has_volume:
            lacking |= np.isnan(self.volume)
        if "spread" in inputs and self.quoted_spread is not None:
            lacking |= np.isnan(self.quoted_spread)
        return lacking

    # -- the domain's series -------------------------------------------------------------------------------------

    def momentum(self, window: int) -> Floats:
        """m_W of the rate index, NaN in the first W bars."""
        return masked(self.shared_by_domains(momentum, window), window)

    def momentum_index(self, window: int) -> Floats:
        """G_W = 100 (1 + m_W / W)."""
        return masked(self.shared_by_domains(momentum_index, window), window)

    def series(self, window: int) -> Floats:
        """C in rate, m_W in bqx."""
        return self.close_index if self.domain is RATE else self.momentum(window)

    def index(self, window: int) -> Floats:
        """C in rate, G_W in bqx: positive, near 100."""
        return self.close_index if self.domain is RATE else self.momentum_index(window)

    @property
    def x(self) -> Floats:
        """C in rate, G_15 in bqx."""
        return self.index(15)

    @property
    def r(self) -> Floats:
        """ln(x[t] / x[t-1]); a change below 1e-12 is exactly 0; NaN at the first bar of the domain."""
        return masked(self.shared(log_change), self.domain.r)

    @property
    def ohlc(self) -> tuple[Floats, Floats, Floats, Floats]:
        """The domain's bars: the rate-index bar of the minute, or the trailing five-minute bar of G_15."""
        o, h, low, c = self.shared(domain_bars)
        warm = self.domain.bars
        return masked(o, warm), masked(h, warm), masked(low, warm), masked(c, warm)


def masked(values: Floats, warmup: int) -> Floats:
    """``values`` with the first ``warmup`` NaN, as if history began at the view's start."""
    if warmup == 0:
        return values
    out = values.copy()
    out[:warmup] = np.nan
    return out


# -- series that tables share ----------------------------------------------------------------------------------------


def rate_index(view: View, column: str) -> Floats:
    """100 * price / baseline of "open", "high", "low" or "close"."""
    prices: Floats = getattr(view.frame.bars, column)[view.start :]
    return 100.0 * prices / view.frame.info.baseline


def volume_proxy(view: View) -> Floats:
    """1 + range of the minute in pips; 0 at a filled minute."""
    bars = view.frame.bars
    pips = (bars.high - bars.low)[view.start :] / pip_of(view.pair)
    return np.where(view.observed, 1.0 + pips, 0.0)


def missing_volume(view: View) -> Floats:
    """The volume of a pair whose bars in view all lack it: NaN, and 0 at filled minutes."""
    return np.where(view.observed, np.nan, 0.0)


def momentum(view: View, window: int) -> Floats:
    """m_W of the rate index."""
    return backward_momentum(view.close_index, window)


def momentum_index(view: View, window: int) -> Floats:
    """G_W = 100 (1 + m_W / W)."""
    return 100.0 * (1.0 + view.momentum(window) / window)


def log_change(view: View) -> Floats:
    """The log changes of x."""
    return log_changes(view.x)


def domain_bars(view: View) -> tuple[Floats, Floats, Floats, Floats]:
    """Open, high, low and close of the domain."""
    if view.domain is BQX:
        return five_minute_bars(view.x)
    return (
        view.shared_by_domains(rate_index, "open"),
        view.shared_by_domains(rate_index, "high"),
        view.shared_by_domains(rate_index, "low"),
        view.close_index,
    )
