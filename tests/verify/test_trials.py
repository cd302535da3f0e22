"""Verification can fail: every planted fault is found and reported by name, time and both values."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from fxloom.verify import VerificationReport, verify
from tests.lakes import make_lake
from tests.verify.planted import (
    back_filled,
    block_sum,
    centred,
    change,
    cumulative,
    filtered,
    fitted_on_all,
    panel_table,
    peeking,
    phase,
    planted,
    publish,
    short_and_long,
    smoothed,
    z_of_the_month,
)

AHEAD = {f.__name__: f for f in (centred, smoothed, fitted_on_all, z_of_the_month, back_filled, peeking)}
HONEST = [planted("change", change), planted("filtered", filtered, lookback=85, recursive=True)]
LOOKING_AHEAD = [planted(name, f, lookback=600, recursive=f is smoothed) for name, f in AHEAD.items()]
BOUND_TO_THE_SLICE = [
    *(planted(f.__name__, f) for f in (cumulative, phase, block_sum)),
    planted("forgetful", filtered, lookback=25, recursive=True),
    short_and_long(),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> VerificationReport:
    """A verification of all planted tables on one pair, and of one table of many pairs."""
    store = make_lake(
        tmp_path_factory.mktemp("planted"), ("eurusd", "gbpusd"), dt.date(2024, 1, 10), dt.date(2024, 2, 8)
    )
    tables = [*HONEST, *LOOKING_AHEAD, *BOUND_TO_THE_SLICE, panel_table()]
    publish(store, tables)
    return verify(store, tables, pairs=["eurusd"], budget=600.0)


def test_valid_tables_pass_every_trial(report: VerificationReport) -> None:
    assert report.complete
    for table in HONEST:
        verdict = report.verdicts[table.name]
        assert verdict.holds, verdict.first
        assert not verdict.untried
        assert min(verdict.rows(kind) for kind in ("causal", "invariant", "reproducible")) > 5_000
    assert report.words["filtered"] == "holds"
    assert 0 < report.verdicts["filtered"].worst < 1e-9  # another start changes values by less than the tolerance


@pytest.mark.parametrize("name", [*AHEAD, "of_another_pair"])
def test_lookahead_is_caught(name: str, report: VerificationReport) -> None:
    verdict = report.verdicts[name]
    assert report.words[name] == "FAILS"
    assert verdict.differing["causal"] > 0
    assert verdict.first is not None
    assert re.fullmatch(
        r"causal \(later bars (removed|replaced by noise|made absurd); cut after 2024-0\d-\d\d \d\d:\d\d, [a-z ]+\): "
        r"(eurusd|gbpusd) 2024-0\d-\d\d \d\d:\d\d: \S+ became \S+",
        str(verdict.first),
    )
    assert verdict.first.expected != verdict.first.got


@pytest.mark.parametrize("name", ["cumulative", "phase", "block_sum", "forgetful", "short_of_two"])
def test_dependence_on_the_slice_is_caught(name: str, report: VerificationReport) -> None:
    verdict = report.verdicts[name]
    assert report.words[name] == "FAILS"
    assert verdict.differing["lookback"] > 0
    assert not verdict.differing["causal"]
    assert not verdict.differing["file"]


def test_a_longer_feature_does_not_hide_a_short_lookback(report: VerificationReport) -> None:
    assert report.words["long_of_two"] == "holds"
    assert "its own lookback, 20 bars" in str(report.verdicts["short_of_two"].first)
