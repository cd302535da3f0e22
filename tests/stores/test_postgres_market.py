"""The whole catalogue of 28 real pairs in PostgreSQL: the same values as in a folder."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from databases import database, pg, query, schema

from fxloom.copying import partition
from fxloom.ingest import ingest
from fxloom.months import month_bounds
from fxloom.populate import populate
from fxloom.stores.base import Store
from fxloom.stores.folder import FolderStore
from fxloom.stores.postgres import PostgresStore

__all__ = ["database", "pg", "schema"]


def filled(store: Store, files: Path, month: str) -> Store:
    assert not [r for r in ingest(store, [files]) if r.refused]
    assert not populate(store, months=(month, month), workers=2).troubles
    return store


@pytest.mark.data
@pytest.mark.slow
def test_the_whole_catalogue_is_the_same_as_in_a_folder(
    data: Path, pg: PostgresStore, database: str, tmp_path: Path
) -> None:
    folder = FolderStore(tmp_path / "lake")
    ingest(folder, [data / "market28"])
    month = max(folder.bar_months("eurusd"))
    filled(folder, data / "market28", month)
    filled(pg, data / "market28", month)
    records = {r.key: r for r in folder.records()}
    assert {r.key: (r.fingerprint, r.rows, r.quality) for r in pg.records()} == {
        key: (r.fingerprint, r.rows, r.quality) for key, r in records.items()
    }
    assert len({key.table for key in records}) == 49
    for key in records:
        ours, theirs = (partition(s, key).with_columns(pl.col(pl.Float32).fill_nan(None)) for s in (pg, folder))
        assert ours.equals(theirs), key
    first, end = (f"timestamptz 'epoch' + interval '{minute} minutes'" for minute in month_bounds(month))
    text = f"explain select * from {{}} where ts_utc >= {first} and ts_utc < {end}"
    for key in records:
        name = f"{key.table}_{key.pair}" if key.pair else key.table
        plan = " ".join(line for (line,) in query(database, text, f"{pg.schema}/{name}"))
        assert plan.count("Scan on") == 1, plan
        break
