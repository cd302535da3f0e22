"""The backward momentum itself: where the price of the last W minutes lay, seen from the current close."""

from __future__ import annotations

from collections.abc import Iterable

from fxloom.domain import AGG, RATE, WINDOWS, Domain
from fxloom.feature import Column, Columns, Family
from fxloom.view import View


def columns(_: Domain) -> Iterable[Column]:
    for w in WINDOWS:
        yield Column(f"w{w}_bqx_return", "sum of relative changes", "sum(C[t-i] - C[t], i=1..W) / C[t]", warmup=w)


def compute(view: View) -> Columns:
    return {f"w{w}_bqx_return": view.momentum(w) for w in WINDOWS}


_ = AGG
FAMILY = Family("bqx_momentum", columns, compute, domains=(RATE,), dual=False)
