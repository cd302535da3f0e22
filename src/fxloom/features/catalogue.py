"""The catalogue: all tables and features in a fixed order, from the families' own declarations."""

from __future__ import annotations

import fnmatch
import importlib
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from fxloom.features.feature import Family, Feature, Table, tables_of

# One module per family, in the catalogue's order.
FAMILIES = (
    "bqx_momentum", "reg", "statistics", "bollinger", "technical", "fibonacci", "volume_features", "spread_features",
    "time_features", "correlation", "error_correction", "cross_sectional_panel", "currency_strength", "arbitrage",
    "parabolic_comparison", "term_covariance", "realized_volatility", "hmm_regime", "volatility_surface",
    "market_regime", "multi_scale_30m", "multi_scale_60m", "spectral_features", "wavelet_features", "ssa_features",
    "advanced_microstructure", "liquidity_metrics", "lagged_cross_window",
)  # fmt: skip

VERSION = 1  # of the catalogue


@cache
def families() -> tuple[Family, ...]:
    """All families; their modules (and numba) are imported at the first call."""
    modules = (importlib.import_module(f"fxloom.families.{name}") for name in FAMILIES)
    return tuple(module.FAMILY for module in modules)


@cache
def tables() -> Mapping[str, Table]:
    """All tables by name, in the catalogue's order."""
    return MappingProxyType({t.name: t for family in families() for t in tables_of(family)})


@cache
def features() -> Mapping[str, Feature]:
    """All features by name, in the catalogue's order; ValueError if two have the same name."""
    found: dict[str, Feature] = {}
    for table in tables().values():
        for feature in table.features:
            if feature.name in found:
                raise ValueError(f"feature {feature.name} is in {found[feature.name].table} and in {feature.table}")
            found[feature.name] = feature
    return MappingProxyType(found)


def select_tables(wanted: Iterable[str] | None) -> list[Table]:
    """The tables that ``wanted`` names (a table, a family, or a pattern such as ``*_rate``), in catalogue order.

    None means all; case does not matter. KeyError, with the nearest names, if one of ``wanted`` matches nothing.
    """
    if wanted is None:
        return list(tables().values())
    chosen: set[str] = set()
    for word in (word.lower() for word in wanted):
        found = {t.name for t in tables().values() if word == t.family.name or fnmatch.fnmatchcase(t.name, word)}
        if not found:
            raise KeyError(f"unknown table {word!r}{_nearest(word, tables())}")
        chosen |= found
    return [t for t in tables().values() if t.name in chosen]


def select_features(wanted: Iterable[str]) -> list[Feature]:
    """The features that ``wanted`` names, in the order of its words, each where it is first mentioned.

    A word is a feature, table, family, domain ("rate", "bqx") or pattern; case does not matter, and the features of
    one word are in catalogue order. KeyError, with the nearest names, if a word matches nothing.
    """
    chosen: dict[str, Feature] = {}
    for word in (word.lower() for word in wanted):
        found = {f.name: f for f in features().values() if _matches(f, word)}
        if not found:
            raise KeyError(
                f"unknown feature, table, family or domain {word!r}{_nearest(word, [*features(), *tables()])}"
            )
        chosen |= found
    return list(chosen.values())


def _matches(feature: Feature, word: str) -> bool:
    table = tables()[feature.table]
    in_domain = table.family.dual and word == table.domain.name
    return in_domain or word in (feature.table, table.family.name) or fnmatch.fnmatchcase(feature.name, word)


def _nearest(word: str, names: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, list(names), n=3)
    return f": did you mean {', '.join(close)}?" if close else ": `fxloom catalogue` lists all"
