"""The catalogue's types: columns, features, families, tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from fxloom.bars.bars import Floats
from fxloom.features.domain import Domain

Columns = dict[str, Floats]
Scope = Literal["pair", "panel"]
Anchor = Literal["hour", "week"]


@dataclass(frozen=True, init=False)
class Column:
    """One feature as its family declares it, once for both domains.

    ``name`` is without the domain's suffix. ``warmup``: how many clock bars after the pair's first the feature first
    exists (for an anchored feature: how many bars must precede the anchor). ``lookback``: how many bars before a row
    reproduce its value; None means the warm-up, which is right unless the feature is recursive or anchored or reads
    further back. Values lie between ``low`` and ``high``, in ``unit``. ``undefined`` says when the formula has no value
    although its window is complete; None means that a missing value after warm-up is a defect. ``may_be_constant``
    says why a month of equal values is not a defect, ``near_duplicate_of`` which feature this one nearly equals.

    ValueError if ``low`` is above ``high``, ``warmup`` negative, or ``lookback`` shorter than ``warmup``.

    >>> Column("mean_20", "index points", "mean_20(C)", 19).lookback
    19
    """

    name: str
    unit: str
    formula: str
    warmup: int
    lookback: int
    low: float
    high: float
    source: str
    recursive: bool
    anchor: Anchor | None
    undefined: str | None
    may_be_constant: str | None
    near_duplicate_of: str | None

    def __init__(
        self,
        name: str,
        unit: str,
        formula: str,
        warmup: int,
        *,
        lookback: int | None = None,
        low: float = -math.inf,
        high: float = math.inf,
        source: str = "",
        recursive: bool = False,
        anchor: Anchor | None = None,
        undefined: str | None = None,
        may_be_constant: str | None = None,
        near_duplicate_of: str | None = None,
    ) -> None:
        given = locals()
        reach = warmup if lookback is None else lookback
        if low > high or reach < warmup or warmup < 0:
            raise ValueError(f"invalid column {name}: range [{low}, {high}], warm-up {warmup}, lookback {reach}")
        for field in fields(self):
            object.__setattr__(self, field.name, given[field.name])
        object.__setattr__(self, "lookback", reach)


@dataclass(frozen=True)
class Feature:
    """One column of the feature store: a family's column in one table."""

    name: str
    table: str
    column: Column

    @property
    def key(self) -> str:
        """The name without the domain's suffix, under which the family computes it."""
        return self.column.name


@dataclass(frozen=True)
class Family:
    """A computation, written once for both domains: its columns in a domain, and the function that fills them.

    ``compute(view)`` returns {column name without suffix: array (clock bars)}, for ``scope`` "panel" arrays
    (pairs, clock bars). ``uses`` names the inputs that may be proxies ("volume", "spread").
    ``partitioned_by`` "pair" stores one partition per pair and month, "month" one per month for all pairs, with the
    pair among its keys.
    """

    name: str
    columns: Callable[[Domain], Iterable[Column]]
    compute: Callable[[Any], Columns]
    domains: tuple[Domain, ...]
    dual: bool = True
    scope: Scope = "pair"
    uses: tuple[Literal["volume", "spread"], ...] = ()
    partitioned_by: Literal["pair", "month"] = "pair"


@dataclass(frozen=True)
class Table:
    """A table of the store: a family in one domain."""

    name: str
    family: Family
    domain: Domain
    features: tuple[Feature, ...]

    @property
    def lookback(self) -> int:
        """The longest lookback of its features, in clock bars."""
        return max(f.column.lookback for f in self.features)

    @property
    def holds_all_pairs(self) -> bool:
        """Whether a partition holds the rows of all pairs of a month, with the pair among its keys."""
        return self.family.partitioned_by == "month"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its features, in catalogue order."""
        return tuple(f.name for f in self.features)


def tables_of(family: Family) -> list[Table]:
    """The tables of a family, one per domain."""
    tables = []
    for domain in family.domains:
        suffix = f"_{domain.name}" if family.dual else ""
        name = family.name + suffix
        features = tuple(Feature(c.name + suffix, name, c) for c in family.columns(domain))
        tables.append(Table(name, family, domain, features))
    return tables


def checked(table: Table, columns: Mapping[str, Floats]) -> Columns:
    """``columns`` under their full names in catalogue order; ValueError unless they are exactly the declared ones."""
    declared, got = {f.key for f in table.features}, set(columns)
    if declared != got:
        raise ValueError(
            f"{table.name}: declared but not computed {sorted(declared - got)}, not declared {sorted(got - declared)}"
        )
    return {f.name: columns[f.key] for f in table.features}
