"""`copy` beside a writer that changes bars and features: what it copies was there, and what changed is reported."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fxloom.bars.synthetic import synthetic_market
from fxloom.run.copy import copy_store
from fxloom.run.ingest import ingest
from fxloom.run.populate import plan_for, populate
from fxloom.run.settling import IngestOptions
from fxloom.stores import open_backend
from fxloom.stores.folder import FolderStore
from tests.faults.test_postgres_kills import bars_of, features_of
from tests.faults.victims import rewriting, start
from tests.lakes import QUICK, write_bars
from tests.stores.databases import drop_schema, store_url
from tests.stores.server import database

__all__ = ["database"]

ROUNDS = max(int(os.environ.get("FXLOOM_FAULTS") or 8) // 8, 2)


@dataclass(frozen=True)
class Versions:
    """A store that is to change, files of two versions of its bars, and all that it may ever hold."""

    store: FolderStore
    files: list[str]
    bars: set[tuple[str, bytes]]
    features: dict[str, bytes]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    root = tmp_path_factory.mktemp("versions")
    market = synthetic_market(dt.date(2024, 1, 25), dt.date(2024, 2, 6), ("eurusd", "gbpusd"))
    files: list[str] = []
    bars: set[tuple[str, bytes]] = set()
    features: dict[str, bytes] = {}
    store = FolderStore(root / "lake")
    for name, factor in (("b", 3.0), ("a", 1.0)):
        (root / name).mkdir()
        for pair, found in market.items():
            assert found.volume is not None
            write_bars(root / name / f"{pair}.parquet", replace(found, volume=found.volume * factor))
        files.append(str(root / name))
        assert not [r for r in ingest(store, [root / name], options=IngestOptions(replace=True)) if r.refused]
        assert not populate(store, tables=QUICK, workers=1).troubles
        bars |= set(bars_of(store).items())
        features |= features_of(store)
    return Versions(store, files, bars, features)


@pytest.mark.parametrize("kind", ["folder", "postgres"])
def test_what_is_copied_beside_a_writer_was_there(
    kind: str, versions: Versions, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(tmp_path / "source")
    if kind == "folder":
        shutil.copytree(versions.store.root, url)
    else:
        server, schema = request.getfixturevalue("database"), f"copied {uuid.uuid4().hex[:8]}"
        url = store_url(server, schema)
        copy_store(versions.store, open_backend(url))
    writer, reported = start(rewriting, url, versions.files)
    wrong, changed, quiet = [], 0, 0
    for number in range(ROUNDS):
        target = FolderStore(tmp_path / f"copy {number}")
        report = copy_store(open_backend(url), target)
        assert not report.corrupt
        wrong += [key for key, value in bars_of(target).items() if (key, value) not in versions.bars]
        wrong += [key for key, value in features_of(target).items() if versions.features.get(key) != value]
        assert not target.find_corrupt() + target.verify()
        changed += bool(report.changed)
        if not report.changed and len(target.records()) == len(versions.features) // 2:
            quiet += 1
            assert set(plan_for(target, tables=QUICK).states) == {"fresh"}
        shutil.rmtree(target.root)
    reported.send("enough")
    rounds, troubles = reported.recv()
    writer.join()
    print(f"\n{kind}: {ROUNDS} copies beside {rounds} rewrites, {changed} changed meanwhile, {quiet} did not, "
          f"{len(wrong)} parts wrong")  # fmt: skip
    assert (troubles, wrong) == ([], [])
    assert rounds
    if kind == "postgres":
        drop_schema(server, schema)
