"""Every law on every table of the catalogue: a new family gets them for nothing."""

from __future__ import annotations

import pytest

from fxloom.features.catalogue import tables
from fxloom.features.feature import Table
from tests.laws.rules import LAWS, Law

SHOWN = 25  # failing features in a message


@pytest.fixture(scope="session", params=tables().values(), ids=lambda t: t.name)
def table(request: pytest.FixtureRequest) -> Table:
    return request.param


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(table: Table, law: Law) -> None:
    told = law(table)
    more = f"\n... and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    assert not told, f"{law.__doc__}\n" + "\n".join(told[:SHOWN]) + more
