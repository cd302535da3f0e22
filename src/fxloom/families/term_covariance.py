"""How the terms of the hour's quadratic regression move together: curvature, slope and residual."""

from __future__ import annotations

from collections.abc import Iterable

from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_cov_corr
from fxloom.series.pair import parabola

WINDOW = 60
TERMS = {"quad": "59^2 a2", "lin": "-59 a1", "resid": "y[t] - b"}
COUPLES = (("quad", "lin"), ("resid", "quad"), ("resid", "lin"))
CONSTANT_TERM = f"a term is constant over {WINDOW} bars"


def columns(domain: Domain) -> Iterable[Column]:
    warmup = domain.series(WINDOW) + 2 * (WINDOW - 1)
    y, level = ("C", "index points^2") if domain is RATE else (f"m_{WINDOW}", "(sum of relative changes)^2")
    where = f"over {WINDOW} bars; a1, a2, b of reg: {y} over {WINDOW} bars"
    for one, other in COUPLES:
        formula = f"cov({TERMS[one]}, {TERMS[other]}) {where}"
        yield Column(f"tc_cov_{one}_{other}", level, formula, warmup)
    for one, other in COUPLES:
        formula = f"corr({TERMS[one]}, {TERMS[other]}) {where}"
        yield Column(f"tc_corr_{one}_{other}", "ratio", formula, warmup, low=-1.0, high=1.0, undefined=CONSTANT_TERM)


def compute(view: View) -> Columns:
    fit, span = view.shared(parabola, WINDOW), WINDOW - 1.0
    terms = {"quad": span * span * fit.a2, "lin": 0.0 - span * fit.a1, "resid": fit.resid}
    out: Columns = {}
    for one, other in COUPLES:
        cov, corr = rolling_cov_corr(terms[one], terms[other], WINDOW)
        out |= {f"tc_cov_{one}_{other}": cov, f"tc_corr_{one}_{other}": corr}
    return out


FAMILY = Family("term_covariance", columns, compute, domains=BOTH)
