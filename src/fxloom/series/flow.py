"""Signed volume and trading costs: series that the microstructure and liquidity families share."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import HOUR
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_beta
from fxloom.kernels.ratio import ratio
from fxloom.kernels.tree import tree_sum
from fxloom.series.pair import return_size

STEP = 2e-6  # a log change below this (0.02 bp) does not count as a move


def direction(view: View) -> Floats:
    """sign(r), 0 below 0.02 bp."""
    return np.where(view.shared(return_size) < STEP, 0.0, np.sign(view.r))


def signed_volume(view: View) -> Floats:
    """q = sign(r) V."""
    return view.shared(direction) * view.volume + 0.0


def mean_volume(view: View, window: int) -> Floats:
    """Mean V of W bars."""
    return tree_sum(view.volume, window) / window


def impact_parts(view: View) -> tuple[Floats, Floats]:
    """abs(r) / V where a bar has volume, else 0; and 1 where it has volume, else 0."""
    volume, size = view.volume, view.shared(return_size)
    traded = np.where(np.isnan(size) | np.isnan(volume), np.nan, (volume > 0.0).astype(np.float64))
    return np.where(traded == 0.0, 0.0, ratio(size, volume)), traded


def amihud(view: View, window: int) -> Floats:
    """Mean abs(r) / V over the bars of the window that have volume."""
    impact, traded = view.shared(impact_parts)
    return ratio(tree_sum(impact, window), tree_sum(traded, window))


def kyle(view: View) -> Floats:
    """The slope over an hour of r (bp) on q / mean V."""
    slope = rolling_beta(10_000.0 * view.r, view.shared(signed_volume), HOUR)
    return slope * view.shared_by_domains(mean_volume, HOUR)


def turnover(view: View) -> Floats:
    """sum V / sum abs(r) of an hour."""
    return ratio(tree_sum(view.volume, HOUR), tree_sum(view.shared(return_size), HOUR))
