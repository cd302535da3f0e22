"""The laws on real prices: one pair with tick volume, one without, quoted so coarsely that it often stands still."""

from __future__ import annotations

import pytest
from pair_laws import ON_SPECIMENS, LawOnSpecimen
from specimens import real

from fxloom.catalogue import tables
from fxloom.feature import Table

SAMPLES = {"market28/eurusd": 60_000, "long9/gbpusd": 62_000}
ONE_PAIR = [t for t in tables().values() if t.family.scope == "pair"]
SHOWN = 25


@pytest.fixture(scope="session", params=ONE_PAIR, ids=lambda t: t.name)
def table(request: pytest.FixtureRequest) -> Table:
    return request.param


@pytest.mark.data
@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("law", ON_SPECIMENS, ids=lambda law: law.__name__)
def test_law_on_real_bars(table: Table, sample: str, law: LawOnSpecimen) -> None:
    told = law(table, real(sample, SAMPLES[sample]))
    assert not told, "\n".join(told[:SHOWN]) + (f"\n... and {len(told) - SHOWN} more" if len(told) > SHOWN else "")
