"""Search finds the families users mean, and suggests words if it finds nothing."""

from __future__ import annotations

import pytest

import fxloom
from fxloom.features.catalogue import FAMILIES, features, tables
from fxloom.features.search import TOPICS, search, suggestions


def first_families(text: str, count: int) -> list[str]:
    """The families of the results, ordered by their best feature."""
    return list(dict.fromkeys(tables()[feature.table].family.name for feature in search(text)))[:count]


@pytest.mark.parametrize(
    ("text", "families"),
    [
        ("liquidity", ["liquidity_metrics"]),
        ("volatility", ["realized_volatility", "volatility_surface"]),
        ("momentum", ["bqx_momentum"]),
        ("correlation", ["correlation"]),
        ("regime", ["hmm_regime", "market_regime"]),
        ("cointegration", ["error_correction"]),
        ("microstructure", ["advanced_microstructure"]),
        ("wavelets", ["wavelet_features"]),
        ("cycles", ["spectral_features"]),
        ("seasonality", ["time_features"]),
        ("triangles", ["arbitrage"]),
        ("Strength", ["currency_strength"]),
        ("mean reversion", ["market_regime", "error_correction", "parabolic_comparison"]),
        ("Mean-Reverting", ["market_regime"]),
        ("cycles", ["spectral_features", "ssa_features", "wavelet_features"]),
    ],
)
def test_a_topic_leads_to_its_families(text: str, families: list[str]) -> None:
    assert first_families(text, len(families)) == families


@pytest.mark.parametrize("topic", ["liquidity", "volatility", "momentum"])
def test_a_topic_finds_its_whole_family(topic: str) -> None:
    found = {feature.name for feature in search(topic)}
    for table in tables().values():
        if topic in table.family.name:
            assert found.issuperset(table.names)


def test_lagged_momentum_is_momentum() -> None:
    assert {"lagged_cross_window_rate", "lagged_cross_window_bqx"} <= {feature.table for feature in search("momentum")}


def test_an_exact_name_comes_first() -> None:
    assert search("tech_rsi_14_rate")[0].name == "tech_rsi_14_rate"
    assert [feature.name for feature in search("garch")[:2]] == ["garch_vol_rate", "garch_vol_30_rate"]
    assert [feature.name for feature in search("holiday")[:2]] == ["holiday_base", "holiday_quote"]


def test_all_words_must_match() -> None:
    assert {feature.name for feature in search("liquidity amihud")} == {
        "liq_amihud_z_rate", "liq_amihud_z_bqx", "micro_amihud_60_rate", "micro_amihud_60_bqx",
    }  # fmt: skip
    assert search("amihud liquidity") == search("liquidity amihud")
    assert search("garch holiday") == []


def test_case_and_commas_do_not_matter() -> None:
    assert search("LIQUIDITY, Amihud") == search("liquidity amihud")


def test_a_domain_restricts_dual_families_to_it() -> None:
    assert {feature.table for feature in search("rsi bqx")} == {
        "technical_bqx", "multi_scale_30m_bqx", "multi_scale_60m_bqx",
    }  # fmt: skip


def test_a_plural_finds_the_singular() -> None:
    assert search("correlations")[:5] == search("correlation")[:5]


def test_units_and_sources_can_be_searched() -> None:
    assert {feature.column.unit for feature in search("flag")[:10]} == {"flag"}
    assert all("Wilder" in feature.column.source + feature.column.formula for feature in search("wilder"))


def test_a_pattern_matches_names() -> None:
    assert [feature.name for feature in search("garch_persist*")] == ["garch_persistence_rate", "garch_persistence_bqx"]


def test_two_letter_words_match_whole_tokens_only() -> None:
    """ "bp" is a unit and does not match every name that begins with these letters."""
    found = {feature.name for feature in search("bp")}
    assert "coint_ect_rate" in found
    assert all("bp" in f"{features()[name].column}".lower() for name in found)


def test_nothing_found_suggests_the_nearest_words() -> None:
    assert search("liqudity") == []
    assert suggestions("liqudity garch") == {"liqudity": ["liquidity", "illiquidity", "quality"]}
    assert suggestions("garch holiday") == {}  # each word matches, but not together


def test_an_empty_search_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to search for"):
        search(" , ")


def test_topics_name_families_and_every_family_has_one() -> None:
    named = {family for found in TOPICS.values() for family in found}
    assert named <= set(FAMILIES)
    assert set(FAMILIES) - named == set()


def test_search_is_public() -> None:
    assert fxloom.search("liquidity") == search("liquidity")
