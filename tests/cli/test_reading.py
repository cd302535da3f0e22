"""``fxloom catalogue``: tables, search and glossary."""

from __future__ import annotations

import json
import re

import pytest

from fxloom.cli import main

Capture = pytest.CaptureFixture[str]


def shown(capsys: Capture, *arguments: str, status: int = 0) -> str:
    assert main(["catalogue", *arguments]) == status
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("topic", "table"),
    [("liquidity", "liquidity_metrics_rate"), ("volatility", "realized_volatility_rate"), ("momentum", "bqx_momentum")],
)
def test_a_topic_finds_the_family_of_that_name(topic: str, table: str, capsys: Capture) -> None:
    lines = shown(capsys, "--search", topic).splitlines()
    assert lines[1].split("\t")[1] == table
    assert lines[-2].startswith(f"{table} (")
    assert re.fullmatch(r"[0-9]+ features in [0-9]+ of 49 tables", lines[-1])


def test_several_words_need_no_quotes(capsys: Capture) -> None:
    one, two = shown(capsys, "--search", "order", "flow"), shown(capsys, "--search", "order flow")
    assert one == two


def test_a_search_can_be_restricted_to_a_table(capsys: Capture) -> None:
    assert "2 features in 2 of 49 tables" in shown(capsys, "--search", "amihud", "--table", "*_rate")


def test_search_as_json_keeps_the_order(capsys: Capture) -> None:
    found = json.loads(shown(capsys, "--search", "holiday", "--json"))
    assert [feature["name"] for feature in found[:2]] == ["holiday_base", "holiday_quote"]


def test_a_misspelled_word_gets_suggestions(capsys: Capture) -> None:
    assert "'liqudity': did you mean liquidity" in shown(capsys, "--search", "liqudity", status=1)


def test_an_unknown_word_without_suggestions_is_reported(capsys: Capture) -> None:
    assert "'zzzzzz': no similar word" in shown(capsys, "--search", "zzzzzz", status=1)


def test_words_that_match_only_separately_are_counted_separately(capsys: Capture) -> None:
    assert "features that match one: garch 30, holiday 20" in shown(capsys, "--search", "garch", "holiday", status=1)


def test_matches_outside_the_table_are_counted(capsys: Capture) -> None:
    said = shown(capsys, "--search", "garch_vol_rate", "--table", "bollinger", status=1)
    assert "no feature in bollinger matches 'garch_vol_rate'; without --table there are 1" in said


def test_the_glossary_explains_symbols(capsys: Capture) -> None:
    lines = shown(capsys, "--glossary").splitlines()
    assert any(line.startswith("m_W\t") and "backward momentum" in line for line in lines)
    assert any(line.startswith("clock bar\t") for line in lines)


def test_the_glossary_can_be_searched(capsys: Capture) -> None:
    found = json.loads(shown(capsys, "--glossary", "--search", "spread", "EDGE", "--json"))
    assert [term["term"] for term in found] == ["EDGE"]


def test_json_output_has_no_infinity(capsys: Capture) -> None:
    """An unbounded range is null, not Infinity, which jq and JavaScript reject."""

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads(shown(capsys, "--search", "tech_macd_rate", "--json"), parse_constant=refuse)
    assert (found[0]["name"], found[0]["low"], found[0]["high"]) == ("tech_macd_rate", None, None)
