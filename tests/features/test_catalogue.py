"""The catalogue's names against an independent copy of the list."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fxloom.features.catalogue import features, tables

LINES = (Path(__file__).parent / "features.tsv").read_text("utf-8").splitlines()[1:]
LISTED: dict[str, list[str]] = {}
for line in LINES:
    table_name, feature_name = line.split("\t")
    LISTED.setdefault(table_name, []).append(feature_name)


def test_the_list_is_complete() -> None:
    assert len(LINES) == 1_060
    assert len(LISTED) == 49
    assert max(Counter(line.split("\t")[1] for line in LINES).values()) == 1


@pytest.mark.parametrize("name", tables())
def test_a_table_has_the_listed_features_in_their_order(name: str) -> None:
    assert list(tables()[name].names) == LISTED[name]


def test_features_are_found_by_table_and_name() -> None:
    for name, feature in features().items():
        assert name == feature.name
        assert name in LISTED[feature.table]


@pytest.mark.parametrize("name", tables())
def test_every_record_describes_its_column(name: str) -> None:
    """Formula, range and warm-up are meant for readers: none is blank or lacks its numbers."""
    for f in tables()[name].features:
        assert f.column.formula.strip(), f.name
        assert "{" not in f.column.formula, f.name
        assert "\n" not in f.column.formula, f.name
        assert f.column.lookback >= f.column.warmup >= 0, f.name
        assert f.column.recursive is False or f.column.lookback > f.column.warmup, f.name


def test_near_duplicates_refer_to_existing_features() -> None:
    known = set(features()) | {f.key for f in features().values()}
    listed = {name for names in LISTED.values() for name in names}
    for f in features().values():
        assert f.column.near_duplicate_of is None or f.column.near_duplicate_of in known | listed, f.name


def test_the_catalogue_has_exactly_the_listed_tables() -> None:
    assert set(tables()) == set(LISTED)
    assert len(features()) == 1_060
