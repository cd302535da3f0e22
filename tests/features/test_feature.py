"""Declarations: columns, features and the tables of a family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fxloom.features.domain import BOTH, Domain
from fxloom.features.feature import Column, Family, checked, tables_of


def columns(domain: Domain) -> list[Column]:
    return [Column("y_5", "bp", "y", domain.x + 4), Column("z", "bp", "z", 0, lookback=9, recursive=True)]


FAMILY = Family("planted", columns, lambda _: {}, BOTH)


def test_a_lookback_is_the_warm_up_unless_declared() -> None:
    assert Column("y", "", "", 7).lookback == 7
    assert Column("y", "", "", 7, lookback=90).lookback == 90
    assert replace(Column("y", "", "", 7, lookback=90), may_be_constant="a quiet month").lookback == 90


@pytest.mark.parametrize("wrong", [{"low": 1.0, "high": 0.0}, {"lookback": 6}, {"warmup": -1}])
def test_an_invalid_column_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="column y: range"):
        Column("y", "", "", **{"warmup": 7, **wrong})  # type: ignore[arg-type]


def test_only_name_unit_formula_and_warm_up_are_positional() -> None:
    with pytest.raises(TypeError):
        Column("y", "", "", 7, 7)  # type: ignore[call-arg]


def test_tables_of_a_dual_family_are_named_after_their_domain() -> None:
    rate, bqx = tables_of(FAMILY)
    assert (rate.name, rate.names, rate.lookback) == ("planted_rate", ("y_5_rate", "z_rate"), 9)
    assert (bqx.name, bqx.names, bqx.lookback) == ("planted_bqx", ("y_5_bqx", "z_bqx"), 19)
    assert [f.key for f in bqx.features] == ["y_5", "z"]
    (single,) = tables_of(replace(FAMILY, dual=False, domains=BOTH[:1]))
    assert (single.name, single.names) == ("planted", ("y_5", "z"))


def test_undeclared_and_uncomputed_columns_are_reported() -> None:
    y = np.zeros(3)
    table = tables_of(FAMILY)[0]
    assert list(checked(table, {"z": y, "y_5": y})) == ["y_5_rate", "z_rate"]
    with pytest.raises(ValueError, match=r"planted_rate: .*\['z'\].*\['w'\]"):
        checked(table, {"y_5": y, "w": y})
