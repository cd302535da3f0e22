"""How far the triangles of a pair are from closing: its price against the two prices via each third currency.

Pairs that a vendor computes from two others close exactly: then every residual is 0, and ``arb_z`` has no value. A
pair's spread is that of its latest own bar while it is present.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import sqrt

import numpy as np

from fxloom.bars.bars import Flags, Floats
from fxloom.features.domain import RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import Reason
from fxloom.features.panel_view import CARRY, PanelView
from fxloom.kernels.present_moments import present_zscore
from fxloom.kernels.tolerances import EQUAL
from fxloom.series.panel import BP, each, own_spread
from fxloom.series.siblings import triangles_of

CLOSED = 1e-8  # bp; a residual below this is rounding
WINDOW = 240
SOURCE = "fxloom catalogue"
CLOSED_WINDOW = "every residual of the window is 0"


def columns(_: Domain) -> Iterable[Column]:
    e = "e_Z = 10,000 (ln(X/Y) - ln(X/Z) + ln(Y/Z))"
    extreme = f"the largest in absolute value of {e}, with its sign"
    closing = "triangles of crossed prices close exactly"
    for name, formula in (("arb_resid", f"mean over Z of {e}"), ("arb_resid_extreme", extreme)):
        yield Column(name, "bp", formula, 0, lookback=CARRY, source=SOURCE, may_be_constant=closing)
    formula = f"max over Z of abs(e_Z) - half the sum of the triangle's three spreads s, {e}"
    unknown = "no spread of a triangle is known yet"
    yield Column("arb_profit", "bp", formula, 0, lookback=CARRY, source=SOURCE, undefined=unknown)
    bound = (WINDOW - 1) / sqrt(WINDOW)
    yield Column(
        "arb_z",
        "z",
        f"z of arb_resid over {WINDOW} bars",
        WINDOW - 1,
        lookback=WINDOW - 1 + CARRY,
        low=-bound,
        high=bound,
        source=SOURCE,
        undefined=CLOSED_WINDOW,
    )


def compute(view: PanelView) -> Columns:
    shape = view.price.shape
    resid, extreme, profit = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    triangles = np.zeros(shape)
    for p in range(len(view.pairs)):
        found = list(_residuals(view, p))
        if found:
            errors = np.stack([e for e, _ in found])
            triangles[p] = (~np.isnan(errors)).sum(axis=0)
            resid[p] = _mean(errors, triangles[p])
            extreme[p] = np.where(triangles[p] >= 2, _largest(errors), np.nan)
            profit[p] = _highest(np.stack([np.abs(e) - cost for e, cost in found]))
    view.miss(Reason.ABSENT, triangles < 1, ["arb_resid", "arb_profit", "arb_z"])
    view.miss(Reason.ABSENT, triangles < 2, ["arb_resid_extreme"])
    z = each(present_zscore, (WINDOW,), resid)
    return {"arb_resid": resid, "arb_resid_extreme": extreme, "arb_profit": profit, "arb_z": z}


def _residuals(view: PanelView, p: int) -> Iterator[tuple[Floats, Floats]]:
    """e_Z of every third currency whose two pairs are stored (n), NaN where one is absent, and half its spreads (n)."""
    logs, spread = view.shared(log_prices), view.shared_by_domains(own_spread)
    for one, sign, other, sign_of_other in triangles_of(view.pairs[p]):
        if one in view.pairs and other in view.pairs:
            i, j = view.pairs.index(one), view.pairs.index(other)
            error = BP * (logs[p] + sign * logs[i] + sign_of_other * logs[j])
            error = np.where(np.abs(error) < CLOSED, 0.0, error)
            here = _all_present(view, p, i, j)
            yield np.where(here, error, np.nan), 0.5 * (spread[p] + spread[i] + spread[j])


def log_prices(view: PanelView) -> Floats:
    """ln of the closes as quoted."""
    return np.log(view.price)


def _all_present(view: PanelView, p: int, i: int, j: int) -> Flags:
    present = view.present
    here: Flags = present[p] & present[i] & present[j]
    return here


def _mean(errors: Floats, count: Floats) -> Floats:
    total = np.zeros(errors.shape[1])
    for e in errors:
        total += np.where(np.isnan(e), 0.0, e)
    return np.where(count > 0, total / np.maximum(count, 1.0), np.nan)


def _largest(errors: Floats) -> Floats:
    best = np.full(errors.shape[1], np.nan)
    for e in errors:
        best = np.where(np.isnan(best) | (np.abs(e) > np.abs(best) * (1.0 + EQUAL)), e, best)
    return best


def _highest(values: Floats) -> Floats:
    best = np.full(values.shape[1], np.nan)
    for v in values:
        best = np.fmax(best, v)
    return best


FAMILY = Family("arbitrage", columns, compute, domains=(RATE,), dual=False, scope="panel", uses=("spread",))
