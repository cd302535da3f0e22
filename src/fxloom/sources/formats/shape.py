"""Declarations of vendors' tables: their columns in order, or the names in their header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fxloom.sources.formats.matching import mostly
from fxloom.sources.layout import ASK, BID, Layout, What, named_layout
from fxloom.sources.names import plain
from fxloom.sources.text import Sample

PAIR = r"[A-Za-z]{3}[/._-]?[A-Za-z]{3}"
DOTTED_DATE = r"\d{4}\.\d\d\.\d\d"
TIME = r"\d\d:\d\d(:\d\d)?"
NUMBER = r"-?\d*[.,]?\d+([eE][+-]?\d+)?"
_EXPANDED = {"bid bar": BID, "ask bar": ASK}


@dataclass(frozen=True)
class Columns:
    """A table without a header, by its columns in order.

    ``roles``: "time" (twice: date and time of day), "symbol", a role of numbers, "bid bar" or "ask bar" for the four
    prices of one side, "" for a column that is not read. ``patterns``: what all fields of a column must match.
    ``optional``: how many of the last columns may be missing. ``extra``: further fields of the layout.
    """

    format: str
    what: What
    roles: tuple[str, ...]
    patterns: Mapping[int, str]
    optional: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, sample: Sample) -> Layout | None:
        roles = [each for role in self.roles for each in _EXPANDED.get(role, (role,))]
        fits = len(roles) - self.optional <= sample.width <= len(roles)
        if sample.header or not fits or not all(mostly(p, sample.column(at)) for at, p in self.patterns.items()):
            return None
        present = list(enumerate(roles[: sample.width]))
        places = {role: at for at, role in present if role not in ("", "time", "symbol")}
        layout = Layout(
            self.format, self.what, tuple(at for at, role in present if role == "time"), places,
            symbol=next((at for at, role in present if role == "symbol"), None),
            side="bid" if self.what in ("bars", "bid ticks") else "mid",
        )  # fmt: skip
        return replace(layout, **self.extra)


@dataclass(frozen=True)
class Header:
    """A table whose header holds all of ``names`` (as ``plain`` spells them), the first being one of ``first``."""

    format: str
    names: tuple[str, ...]
    first: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, sample: Sample) -> Layout | None:
        names = [plain(name) for name in sample.header]
        if not names or not set(self.names) <= set(names) or (self.first and names[0] not in self.first):
            return None
        layout = named_layout(sample.header, sample, self.format)
        return None if layout is None else replace(layout, **self.extra)
