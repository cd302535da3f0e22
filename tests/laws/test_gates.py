"""How the engine judges a panel in which one pair starts later than the others and one has a gap."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.engine.compute import Computed, Job, compute_panel
from fxloom.features.catalogue import tables
from fxloom.features.feature import Family, Table, tables_of
from fxloom.features.panel_view import PanelView
from tests.laws.specimens import LATE, lively

PANEL_TABLES = [t for t in tables().values() if t.family.scope == "panel"]


def parts_of(table: Table) -> list[Computed]:
    panel = lively("panel")
    begin = int(panel.ts[0])
    results = list(compute_panel(panel.bars, panel.infos, [Job(table, begin)], begin))
    parts = [part for part in results if isinstance(part, Computed)]
    assert len(parts) == len(results), results
    return parts


@pytest.mark.parametrize("table", PANEL_TABLES, ids=lambda t: t.name)
def test_every_partition_passes_its_gates(table: Table) -> None:
    assert {part.pair: part.refusals for part in parts_of(table) if part.refusals} == {}


def test_values_before_the_warmup_of_the_panels_clock_are_refused() -> None:
    """A table of 60-bar returns that fills its first 60 bars with zeros."""
    honest = tables()["currency_strength"]

    def filled(view: PanelView) -> dict[str, np.ndarray]:
        columns = dict(honest.family.compute(view))
        return columns | {"cs_base_60": np.nan_to_num(columns["cs_base_60"])}

    family = Family("filled", honest.family.columns, filled, honest.family.domains, dual=False, scope="panel")
    refused = {part.pair: part.refusals for part in parts_of(tables_of(family)[0])}
    assert refused["eurusd"] == ["cs_base_60: 60 values before its warm-up"]
    assert refused[LATE] == []
