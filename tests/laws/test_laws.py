"""Every law on every table of the catalogue; new families are included automatically."""

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
    reported = law(table)
    more = f"\n... and {len(reported) - SHOWN} more" if len(reported) > SHOWN else ""
    assert not reported, f"{law.__doc__}\n" + "\n".join(reported[:SHOWN]) + more
