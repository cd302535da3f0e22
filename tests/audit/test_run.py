"""Audits of a part of a store: what is asked for, and nothing else."""

from __future__ import annotations

import json

import pytest

from fxloom.api import open_store
from fxloom.audit.report import Audit
from fxloom.cli import main
from fxloom.run.populate import populate
from fxloom.stores.base import NoBarsError
from fxloom.stores.folder import FolderStore
from tests.lakes import make_lake

TABLES = ["bollinger_rate", "bollinger_bqx", "time_features"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    """Two pairs and two months; time_features only for one of the pairs."""
    store = make_lake(tmp_path_factory.mktemp("audited"))
    assert not populate(store, tables=TABLES[:2], workers=1).troubles
    assert not populate(store, ["eurusd"], tables=TABLES[2:], workers=1).troubles
    return store


def partitions(found: Audit) -> dict[str, tuple[int, int]]:
    """Stored and expected partitions of each audited table."""
    return {table.table: (table.partitions, table.expected) for table in found.tables if table.table in TABLES}


def test_an_audit_is_narrowed_by_pairs_months_and_tables(lake: FolderStore) -> None:
    store = open_store(lake.root)
    assert partitions(store.audit()) == {TABLES[0]: (4, 4), TABLES[1]: (4, 4), TABLES[2]: (2, 4)}
    assert partitions(store.audit(pairs="USDJPY")) == {TABLES[0]: (2, 2), TABLES[1]: (2, 2), TABLES[2]: (0, 2)}
    assert partitions(store.audit(months="2024-02")) == {TABLES[0]: (2, 2), TABLES[1]: (2, 2), TABLES[2]: (1, 2)}
    narrow = store.audit(pairs=["eurusd"], months="2024-01:2024-01", tables="bollinger", detail=True)
    assert partitions(narrow) == {TABLES[0]: (1, 1), TABLES[1]: (1, 1)}
    assert len(narrow.tables) == 2
    assert [str(d.key) for t in narrow.tables for d in t.detail] == [
        "bollinger_rate eurusd 2024-01", "bollinger_bqx eurusd 2024-01",
    ]  # fmt: skip
    assert {(gap.pair, gap.month) for gap in narrow.gaps} == {("eurusd", "2024-01")}


def test_what_is_not_there_is_an_error(lake: FolderStore) -> None:
    store = open_store(lake.root)
    with pytest.raises(NoBarsError, match="no bars of gbpusd"):
        store.audit(pairs="gbpusd")
    with pytest.raises(NoBarsError, match="2019-01"):
        store.audit(months="2019-01")
    with pytest.raises(KeyError, match="bolinger"):
        store.audit(tables="bolinger")


def test_the_command_lists_partitions_only_in_detail(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["audit", "--store", lake.url, "--json", "--tables", "bollinger_rate", "--months", "2024-01:2024-02"]
    assert main(command) == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    assert (table["partitions"], table["expected"], table["detail"]) == (4, 4, [])
    assert main([*command, "--detail", "--pairs", "eurusd"]) == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    assert [d["key"]["month"] for d in table["detail"]] == ["2024-01", "2024-02"]
