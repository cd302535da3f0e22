"""Searches the catalogue: features ranked by how well names, topics, units and formulas match the words."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from fxloom.features.catalogue import families, features, tables
from fxloom.features.feature import Feature

# What people search for, and the families that cover it, best first. The words of a line are synonyms.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "momentum trend returns": ("bqx_momentum", "lagged_cross_window", "cross_sectional_panel", "technical"),
    "reversal reversion": ("market_regime", "advanced_microstructure", "bollinger"),
    "mean-reversion": ("market_regime", "error_correction", "parabolic_comparison", "advanced_microstructure"),
    "regression curvature slope forecast parabola": ("reg", "parabolic_comparison", "term_covariance"),
    "statistics moments skewness kurtosis distribution deviation": ("statistics",),
    "indicators oscillators ta-lib talib": ("technical", "bollinger", "fibonacci"),
    "bands": ("bollinger",),
    "support resistance levels retracement swing": ("fibonacci",),
    "volatility risk variance": ("realized_volatility", "volatility_surface", "market_regime"),
    "garch": ("volatility_surface",),
    "jumps": ("realized_volatility", "market_regime"),
    "regimes states": ("hmm_regime", "market_regime", "realized_volatility"),
    "markov changepoints change-points cusum bocpd": ("hmm_regime",),
    "liquidity impact illiquidity": ("liquidity_metrics", "advanced_microstructure", "spread_features"),
    "spreads costs": ("spread_features", "advanced_microstructure", "liquidity_metrics"),
    "volume activity ticks": ("volume_features", "liquidity_metrics", "advanced_microstructure"),
    "microstructure noise": ("advanced_microstructure", "liquidity_metrics"),
    "order flow toxicity imbalance": ("advanced_microstructure", "volume_features"),
    "time session seasonality calendar holidays fixing": ("time_features",),
    "correlation beta lead-lag comovement siblings": ("correlation",),
    "cointegration johansen equilibrium": ("error_correction",),
    "cross-section cross-sectional rank breadth market dispersion": ("cross_sectional_panel",),
    "strength currency": ("currency_strength",),
    "arbitrage triangles": ("arbitrage",),
    "panel pairs": (
        "correlation", "error_correction", "cross_sectional_panel", "currency_strength", "arbitrage"
    ),
    "cycles spectrum frequency fourier": ("spectral_features", "ssa_features", "wavelet_features"),
    "wavelets scales multiscale": ("wavelet_features", "multi_scale_30m", "multi_scale_60m"),
    "singular ssa decomposition": ("ssa_features",),
}  # fmt: skip

# Points for each way in which a word matches, summed over ways and words. A word without points excludes a feature.
EXACT, FAMILY, TOPIC, IN_NAME, DOMAIN, UNIT, FORMULA, INSIDE = 100, 60, 50, 40, 30, 20, 10, 5
TOKEN = re.compile(r"[a-z0-9]+")
MEAN_REVERSION = re.compile(r"mean[ _-]rever(sion|ting)")  # two words for one topic
PREFIX, SUBSTRING = 3, 4  # letters that a word needs to match the beginning of a token, or its inside


def search(text: str) -> list[Feature]:
    """The features that match every word of ``text``, best match first, then in catalogue order.

    A word may be a topic ("liquidity"), a part of a name ("rsi"), a domain ("rate", "bqx"), a unit ("bp"), a word of
    a formula or source ("wilder"), or a pattern ("hmm_*"). Case does not matter. The list is empty if nothing
    matches: see ``suggestions``. ValueError if ``text`` has no word.

    >>> [feature.name for feature in search("GARCH persistence")]
    ['garch_persistence_rate', 'garch_persistence_bqx']
    """
    words = _words(text)
    points = {name: [_points(entry, word) for word in words] for name, entry in _entries().items()}
    found = [name for name, scores in points.items() if all(scores)]
    return [features()[name] for name in sorted(found, key=lambda name: -sum(points[name]))]


def suggestions(text: str) -> dict[str, list[str]]:
    """For each word of ``text`` that matches no feature, known words with a similar spelling."""
    unmatched = [word for word in _words(text) if not any(_points(entry, word) for entry in _entries().values())]
    return {word: difflib.get_close_matches(word, _vocabulary(), n=3, cutoff=0.6) for word in unmatched}


def _words(text: str) -> list[str]:
    words = MEAN_REVERSION.sub("mean-reversion", text.lower()).replace(",", " ").split()
    if not words:
        raise ValueError("nothing to search for: pass one or more words, such as 'liquidity' or 'garch bqx'")
    return words


@dataclass(frozen=True)
class _Entry:
    """The searchable text of one feature, in lower case."""

    name: str
    domain: str
    unit: str
    name_tokens: frozenset[str]
    family_tokens: frozenset[str]
    topics: Mapping[str, int]  # and the family's place in each
    text: str
    text_tokens: frozenset[str]


@cache
def _entries() -> Mapping[str, _Entry]:
    return {name: _entry(feature) for name, feature in features().items()}


def _entry(feature: Feature) -> _Entry:
    table, column = tables()[feature.table], feature.column
    text = f"{column.formula} {column.source}".lower()
    return _Entry(
        name=feature.name.lower(),
        domain=table.domain.name if table.family.dual else "",
        unit=column.unit.lower(),
        name_tokens=_tokens(feature.name),
        family_tokens=_tokens(table.family.name) | {table.family.name, table.name},
        topics=_topics(table.family.name),
        text=text,
        text_tokens=_tokens(text),
    )


@cache
def _topics(family: str) -> Mapping[str, int]:
    return {word: found.index(family) for words, found in TOPICS.items() if family in found for word in words.split()}


def _tokens(text: str) -> frozenset[str]:
    return frozenset(TOKEN.findall(text.lower()))


def _points(entry: _Entry, word: str) -> int:
    """The points of one word, 0 if the feature has nothing to do with it."""
    return sum(points for points, matches in _rules(entry, word) if matches)


def _rules(entry: _Entry, word: str) -> Iterator[tuple[int, bool]]:
    """The ways in which ``word`` can match, from the most to the least specific."""
    if word in ("rate", "bqx") and entry.domain:
        yield DOMAIN, word == entry.domain
        return
    if "*" in word or "?" in word:
        yield EXACT, fnmatch.fnmatchcase(entry.name, word)
        return
    yield EXACT, word == entry.name
    yield FAMILY, _among(word, entry.family_tokens)
    places = [place for topic, place in entry.topics.items() if _among(word, (topic,))]
    yield TOPIC - min(places, default=0), bool(places)
    yield IN_NAME, _among(word, entry.name_tokens)
    yield UNIT, word == entry.unit
    yield FORMULA, _among(word, entry.text_tokens)
    yield INSIDE, len(word) >= SUBSTRING and (word in entry.name or word in entry.text)


def _among(word: str, tokens: Iterable[str]) -> bool:
    """Whether ``word`` is one of ``tokens`` or begins one; "correlations" finds "correlation" too."""
    if len(word) < PREFIX:
        return word in tokens
    stem = word.removesuffix("s") if len(word) > PREFIX else word
    return any(token.startswith(stem) for token in tokens)


@cache
def _vocabulary() -> tuple[str, ...]:
    """Words worth suggesting: topics, families, and the words of names and sources."""
    topics = {word for words in TOPICS for word in words.split()}
    named = {family.name for family in families()}
    parts = {token for entry in _entries().values() for token in entry.name_tokens | entry.family_tokens}
    return tuple(sorted(word for word in topics | named | parts if len(word) >= PREFIX and not word.isdigit()))
