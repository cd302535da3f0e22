"""The glossary explains the symbols that formulas use, once each."""

from __future__ import annotations

from fxloom.features.glossary import GLOSSARY

TERMS = {term.term: term for terms in GLOSSARY.values() for term in terms}


def test_terms_are_unique() -> None:
    assert len(TERMS) == sum(len(terms) for terms in GLOSSARY.values())


def test_symbols_in_formulas_are_explained() -> None:
    assert {"C", "m_W", "G_W", "r", "s", "V", "x", "clock bar", "warm-up", "lookback", "anchor"} <= set(TERMS)


def test_every_term_has_a_meaning() -> None:
    assert all(term.meaning and not term.meaning.endswith(".") for term in TERMS.values())


def test_meanings_match_the_definitions() -> None:
    """Copied here from docs/definitions/conventions.md."""
    assert TERMS["m_W"].meaning == "backward momentum, sum over i = 1..W of (C[t-i] - C[t]) / C[t]"
    assert TERMS["G_W"].meaning == "100 (1 + m_W / W)"
    assert TERMS["r"].meaning == "ln(x[t] / x[t-1])"
