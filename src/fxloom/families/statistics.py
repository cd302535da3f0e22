"""Mean, standard deviation, skewness and kurtosis of the domain's series: pandas' formulas, each window on its own."""

from __future__ import annotations

from collections.abc import Iterable

from fxloom.features.domain import AGG, BOTH, RATE, WINDOWS, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import CONSTANT_WINDOW
from fxloom.features.pair_view import View
from fxloom.series.pair import moments

WIDTHS = (*WINDOWS, AGG)
SOURCE = "pandas Series.mean, std, skew, kurt"


def columns(domain: Domain) -> Iterable[Column]:
    unit = "index points" if domain is RATE else "sum of relative changes"
    for w in WIDTHS:
        y = "C" if domain is RATE else f"m_{w}"
        warmup, least = domain.series(w) + w - 1, 0.0 if domain is RATE else -float(w)
        lowest = -2.0 * (w - 1) / (w - 3)  # of w values, half of them equal to one number and half to another
        mean, std = f"mean of {y} over {w} bars", f"std of {y} over {w} bars, ddof 1"
        skew, kurt = f"unbiased skewness of {y} over {w} bars", f"unbiased excess kurtosis of {y} over {w} bars"
        yield Column(f"stat_mean_{w}", unit, mean, warmup, low=least, source=SOURCE)
        yield Column(f"stat_std_{w}", unit, std, warmup, low=0.0, source=SOURCE)
        for name, formula, low, high in (("skew", skew, -(w**0.5), w**0.5), ("kurt", kurt, lowest, float(w))):
            yield Column(
                f"stat_{name}_{w}",
                "ratio",
                formula,
                warmup,
                low=low,
                high=high,
                source=SOURCE,
                undefined=CONSTANT_WINDOW,
            )


def compute(view: View) -> Columns:
    out: Columns = {}
    for w in WIDTHS:
        mean, std, skew, kurt = view.shared(moments, w)
        out |= {f"stat_mean_{w}": mean, f"stat_std_{w}": std, f"stat_skew_{w}": skew, f"stat_kurt_{w}": kurt}
    return out


FAMILY = Family("statistics", columns, compute, domains=BOTH)
