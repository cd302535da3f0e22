"""The market on bars of 30 minutes."""

from __future__ import annotations

from collections.abc import Iterable

from fxloom.domain import BOTH, Domain
from fxloom.families.multi_scale import scale_columns, scale_features
from fxloom.feature import Column, Columns, Family
from fxloom.view import View


def columns(domain: Domain) -> Iterable[Column]:
    return scale_columns(domain, 30)


def compute(view: View) -> Columns:
    return scale_features(view, 30)


FAMILY = Family("multi_scale_30m", columns, compute, domains=BOTH)
