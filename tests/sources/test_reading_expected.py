"""Real export files: each is accepted or refused as listed with the sample data."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from fxloom.sources import Ignored, Refused, SourceFile, read
from tests.conftest import DATA

FOLDERS = ("exports", "exports_odd")


def lines_of(folder: str) -> list[dict[str, str]]:
    """The lines of a folder's list, each with its folder; one empty line if there is no list."""
    path = DATA / folder / "EXPECTED.tsv"
    if not path.is_file():
        return [{"folder": folder, "file": ""}]
    with path.open() as file:
        return [{"folder": folder, **line} for line in csv.DictReader(file, delimiter="\t")]


LINES = [line for folder in FOLDERS for line in lines_of(folder)]
# What the list's last column requires of a refusal's message.
ASKED = {"--zone": "--zone", "--pair": "--pair", "no currency pair": "none of the 28 pairs", "names no pair": "--pair",
         "prices are none": "prices", "not one of the 28": "none of the 28 pairs", "hourly": "hourly",
         "coarser than a minute": "coarser than a minute", "labelled +00:00": "UTC+0", "truly at +8": "UTC+8",
         "New York times labelled": "its weeks imply UTC-5", "half of its bars lie": "in the weekend",
         "nothing tells the zone": "--zone"}  # fmt: skip
# The second list uses looser names for some kinds.
KINDS = {("exports_odd", "seconds"): {"seconds", "one-second bars, bid and ask"},
         ("exports_odd", "minute bars"): {"minute bars", "minute bars, bid"}}  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['folder']}/{line['file']}")
def test_expected_outcome(line: dict[str, str], data: Path) -> None:
    assert line["file"], "the list of expected outcomes is missing"
    outcomes = [o for o in read(data / line["folder"] / line["file"]) if not isinstance(o, Ignored)]
    assert len(outcomes) == 1
    outcome = outcomes[0]
    assert isinstance(outcome, SourceFile if line["outcome"] == "taken" else Refused), outcome
    if line["pair"]:
        assert outcome.pair == line["pair"]
    if line["kind"]:
        assert outcome.kind in KINDS.get((line["folder"], line["kind"]), {line["kind"]})
    if line["utc_offset_hours"]:
        assert outcome.zone is not None
        expected = tuple(map(float, line["utc_offset_hours"].split(";")))
        if line["file"] == "DAT_ASCII_EURUSD_M1_2000.zip":
            expected = (-4.0, -5.0)  # listed as -5;-4, but the file begins in summer
        assert outcome.zone.hours == expected
    if isinstance(outcome, Refused):
        asked = [words for said, words in ASKED.items() if said in line["why"]]
        assert asked
        for words in asked:
            assert words in str(outcome)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "strays", "bars"),
    [("finam_EURUSD_1_2017-10-12_2017-11-12.csv", 55, 25_595), ("DAT_ASCII_EURUSD_M1_2000.zip", 15, 143_152)],
)
def test_strays_in_weekends_are_quarantined(name: str, strays: int, bars: int, data: Path) -> None:
    (outcome,) = (o for o in read(data / "exports_odd" / name) if isinstance(o, SourceFile))
    assert (len(outcome.quarantined), len(outcome.bars), outcome.filler) == (strays, bars, 0)
    assert {q.reason.split(" (")[0] for q in outcome.quarantined} == {"lies in the weekend"}


@pytest.mark.data
def test_every_row_is_accounted_for(data: Path) -> None:
    """Every row of an accepted file is a bar, filler, a duplicate or quarantined; ticks and seconds are counted."""
    for outcome in (o for folder in FOLDERS for o in read(data / folder)):
        if isinstance(outcome, SourceFile):
            counted = outcome.filler + outcome.identical + len(outcome.quarantined)
            if outcome.kind.startswith("minute"):
                assert outcome.rows == len(outcome.bars) + counted, outcome.name
            elif outcome.kind == "ticks":
                assert outcome.bars.volume is not None
                assert outcome.rows == outcome.bars.volume.sum() + counted, outcome.name
            assert (outcome.bars.ts[1:] > outcome.bars.ts[:-1]).all()


@pytest.mark.data
def test_filler_of_three_weekends(data: Path) -> None:
    (outcome,) = read(data / "exports" / "mt4_export" / "fxopen_GBPUSD1_with_header.csv")
    assert isinstance(outcome, SourceFile)
    # Runs of 2881, 2882 and 3222 equal rows; the first row of each is a bar.
    assert outcome.filler == 2880 + 2881 + 3221
    assert "2018.02.17,00:00" in outcome.filler_examples[0]


@pytest.mark.data
def test_the_offset_changes_on_the_european_date(data: Path) -> None:
    (outcome,) = read(data / "exports" / "histdata_ascii_m1" / "EURUSD_m1_202203_renamed_by_user.csv")
    assert isinstance(outcome, SourceFile)
    days = [re.findall(r"\d{4}-\d\d-\d\d", str(period)) for period in outcome.zone.offset_periods]
    assert days == [["2022-03-01", "2022-03-25"], ["2022-03-27", "2022-04-01"]]


@pytest.mark.data
@pytest.mark.parametrize("folder", ["long9", "market28", "panel15"])
def test_sample_market_data_is_accepted(folder: str, data: Path) -> None:
    names = sorted(path.stem for path in (data / folder).glob("*.parquet"))
    outcomes = list(read(data / folder))
    assert [o.pair for o in outcomes if isinstance(o, SourceFile)] == names
    for outcome in outcomes:
        assert isinstance(outcome, SourceFile)
        assert len(outcome.bars) == outcome.rows
        assert not outcome.quarantined
        assert outcome.zone.hours == (0.0,)


@pytest.mark.data
def test_quotes_become_mid_prices_and_crossed_ones_are_quarantined(data: Path) -> None:
    crossed = {}
    for outcome in read(data / "quotes"):
        assert isinstance(outcome, SourceFile)
        assert outcome.price_side == "mid"
        assert outcome.has_quotes
        assert {q.reason for q in outcome.quarantined} <= {"ask is below bid"}
        crossed[Path(outcome.name).parent.name, outcome.pair] = len(outcome.quarantined)
    # Counted with a separate query: bars in which any of the four asks is below its bid.
    assert crossed == {
        ("fxcm_2012_2013", "gbpusd"): 1203, ("fxcm_2012_2013", "usdjpy"): 2144, ("fxcm_2014", "eurusd"): 1888,
        ("fxcm_2014", "nzdusd"): 421, ("oanda_2014", "eurusd"): 0, ("oanda_2014", "nzdusd"): 0,
    }  # fmt: skip
