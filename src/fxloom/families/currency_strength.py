"""The strength of the two currencies of a pair: how they moved against all others.

With all 28 pairs cs_base_60 - cs_quote_60 is 8/7 of ret_60, apart from how far triangles are from closing: any two of
the three determine the third.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.pairs import CURRENCIES
from fxloom.features.domain import RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import Reason
from fxloom.features.panel_view import CARRY, PanelView
from fxloom.kernels.cross_section import share_below
from fxloom.kernels.set_moments import set_moments
from fxloom.series.panel import BP, LEAST, across, few_present, filled_at, total_return
from fxloom.series.siblings import BASE, holders_of, members_of

EQUAL_STRENGTH = 1e-9  # bp; strengths closer than this are equal
BREADTH = 60  # bars of the share of up moves
SOURCE = "fxloom catalogue"


def columns(_: Domain) -> Iterable[Column]:
    for w in (60, 240):
        for side in ("base", "quote"):
            formula = f"mean of signed ret_{w} over all pairs with the {side} currency, 10,000 x"
            yield Column(f"cs_{side}_{w}", "bp", formula, w, lookback=w + CARRY, source=SOURCE)
    rank = "share of the other currencies below the {} currency by 60-bar strength, ties half"
    breadth = "share of up moves among the non-zero signed r of the base siblings over 60 bars"
    rows = (
        ("cs_base_rank", "share", rank.format("base"), 60, 1.0, None),
        ("cs_quote_rank", "share", rank.format("quote"), 60, 1.0, None),
        ("cs_dispersion_60", "bp", "std of the 60-bar strengths", 60, inf, None),
        ("cs_breadth_60", "share", breadth, filled_at(1, 60), 1.0, "no base sibling moved in 60 bars"),
    )
    for name, unit, formula, warmup, high, undefined in rows:
        yield Column(
            name, unit, formula, warmup, lookback=60 + CARRY, low=0.0, high=high, source=SOURCE, undefined=undefined
        )


def strengths(view: PanelView, window: int) -> Floats:
    """Strength of the eight currencies in bp (currencies, n); missing where no pair with one is present."""
    members, signs = holders_of(view.pairs)
    return across(view, BP * view.shared(total_return, window), members, signs)[1]


def compute(view: PanelView) -> Columns:
    base = [CURRENCIES.index(p[:3]) for p in view.pairs]
    quote = [CURRENCIES.index(p[3:]) for p in view.pairs]
    short, long = strengths(view, 60), strengths(view, 240)
    known = ~np.isnan(short)
    rank = share_below(short, known, np.ones(len(CURRENCIES), np.bool_), LEAST - 1, 0.0, EQUAL_STRENGTH)
    out = {"cs_base_60": short[base], "cs_quote_60": short[quote]}
    out |= {"cs_base_240": long[base], "cs_quote_240": long[quote]}
    out |= {"cs_base_rank": rank[base], "cs_quote_rank": rank[quote]}
    out["cs_dispersion_60"] = np.broadcast_to(_dispersion(short, known), view.price.shape)
    out["cs_breadth_60"] = _breadth(view)
    few = np.broadcast_to(known.sum(axis=0) < LEAST, view.price.shape)
    view.miss(Reason.ABSENT, few, ["cs_base_rank", "cs_quote_rank", "cs_dispersion_60"])
    view.miss(Reason.ABSENT, few_present(view, BASE, 1), ["cs_breadth_60"])
    return out


def _dispersion(strength: Floats, known: Flags) -> Floats:
    everyone = np.arange(len(strength), dtype=np.int64)[None, :]
    count, _, std = set_moments(strength, known, everyone, np.ones(everyone.shape))
    return np.where(count[0] >= LEAST, std[0], np.nan)


def _breadth(view: PanelView) -> Floats:
    r = view.r
    known = view.present & ~np.isnan(r)
    up, down = known & (r > 0.0), known & (r < 0.0)
    members, signs = members_of(view.pairs, BASE)
    out = np.full(r.shape, np.nan)
    for p, (row, sign) in enumerate(zip(members, signs, strict=True)):
        siblings = [(q, s) for q, s in zip(row, sign, strict=True) if q >= 0]
        if siblings:
            ups = sum((up if s > 0.0 else down)[q].astype(np.int64) for q, s in siblings)
            moves = sum((up | down)[q].astype(np.int64) for q, s in siblings)
            held = np.any([known[q] for q, _ in siblings], axis=0)
            out[p] = _share(ups, moves, held)
    return out


def _share(ups: Ints, moves: Ints, held: Flags) -> Floats:
    """Up moves per move over the window (n); counts are integers, so that their running sums are exact."""
    bars, moved = _over_window(held.astype(np.int64)), _over_window(moves)
    enough = held & (4 * bars >= BREADTH) & (moved > 0)
    enough[: BREADTH - 1] = False
    return np.where(enough, _over_window(ups) / np.maximum(moved, 1), np.nan)


def _over_window(counts: Ints) -> Ints:
    total = np.cumsum(counts)
    total[BREADTH:] -= total[:-BREADTH].copy()
    return total


FAMILY = Family("currency_strength", columns, compute, domains=(RATE,), dual=False, scope="panel")
