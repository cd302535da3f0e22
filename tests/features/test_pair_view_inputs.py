"""A pair whose volume or quotes are absent for a while: values are missing there only, and no proxy is used."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.compute import Computed, Job, compute_tables
from fxloom.features.catalogue import tables
from fxloom.features.feature import Table

START, END = dt.date(2024, 1, 1), dt.date(2024, 1, 27)
USERS = [t for t in tables().values() if t.family.uses and t.family.scope == "pair"]
# Defined over the values or parts that are present, so that a gap still gives a value.
OF_THOSE_PRESENT = {"liq_amihud_z", "liq_stress", "micro_toxicity", "liq_kyle_instability", "liq_score"}


@pytest.fixture(scope="module")
def bars() -> Bars:
    return synthetic_market(START, END, ("eurusd",))["eurusd"]


@pytest.fixture(scope="module")
def gap(bars: Bars) -> slice:
    """The bars without the input: an hour, after enough history for every window."""
    begin = int(0.55 * len(bars))
    return slice(begin, begin + 60)


def computed(table: Table, bars: Bars) -> Computed:
    info = {"eurusd": PairInfo(1.0, True, True)}
    (result,) = compute_tables("eurusd", {"eurusd": bars}, info, [Job(table, int(bars.ts[0]))], int(bars.ts[0]))
    assert isinstance(result, Computed), result
    return result


def without_input(bars: Bars, name: str, gap: slice) -> Bars:
    column = getattr(bars, name).copy()
    column[gap] = np.nan
    return replace(bars, **{name: column})


@pytest.mark.parametrize("table", USERS, ids=lambda t: t.name)
def test_missing_input_removes_values_and_changes_none(table: Table, bars: Bars, gap: slice) -> None:
    whole = computed(table, bars)
    clock = on_clock(bars)
    for name in table.family.uses:
        found = computed(table, without_input(bars, name, gap))
        end = int(clock.observed[gap.stop - 1])
        for feature in table.features:
            before, after = whole.columns[feature.name], found.columns[feature.name]
            here = ~np.isnan(after)
            beyond = clock.observed > end + feature.column.lookback
            assert np.array_equal(before[beyond], after[beyond], equal_nan=True), f"{feature.name}: the gap has no end"
            assert np.array_equal(before[: gap.start], after[: gap.start], equal_nan=True), feature.name
            if feature.key not in OF_THOSE_PRESENT:
                assert np.array_equal(before[here], after[here], equal_nan=True), f"{feature.name}: from {name} missing"
                assert np.isnan(after).sum() >= np.isnan(before).sum()


@pytest.mark.parametrize("name", ["volume", "spread"])
def test_an_absent_column_means_missing_values_not_a_proxy(name: str, bars: Bars) -> None:
    """A column of nulls and an absent column are the same, and differ from a pair that has no such input."""
    none = replace(bars, volume=None, spread=None)
    found = computed(tables()[f"{name}_features"], none)
    assert all(np.isnan(column).all() for column in found.columns.values())
