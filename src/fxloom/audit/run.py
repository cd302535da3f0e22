"""Audits a store: what is corrupt, what is due, what is there."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fxloom.audit.report import Audit
from fxloom.audit.tables import audit
from fxloom.bars.gaps import find_gaps
from fxloom.engine.plan import make_plan
from fxloom.features.catalogue import select_tables
from fxloom.run.state import requested_state
from fxloom.stores.base import Store


def audit_store(
    store: Store,
    pairs: Sequence[str] | None = None,
    months: tuple[str, str] | None = None,
    tables: Sequence[str] | None = None,
    whole: bool = False,
    detail: bool = False,
) -> Audit:
    """Audit ``tables`` of ``pairs`` in ``months`` (first and last); None: all. Corruption is looked for everywhere.

    ``whole`` reads every stored value; ``detail`` lists every partition and finding. NoBarsError if they have no bars.
    """
    inventory = store.inventory()
    corrupt = store.find_corrupt(inventory) + (store.verify() if whole else [])
    state = requested_state(store, pairs, months, inventory)
    plan = make_plan(state, select_tables(tables), pairs, months)
    chosen = pl.lit(True) if months is None else pl.col("month").is_between(pl.lit(months[0]), pl.lit(months[1]))
    if pairs is not None:
        chosen &= pl.col("pair").is_in([*pairs, ""])
    gaps = [
        gap
        for gap in find_gaps(state.days)
        if (pairs is None or gap.pair in pairs) and (months is None or months[0] <= gap.month <= months[1])
    ]
    return audit(inventory.narrowed(chosen, tables), plan, corrupt, gaps, detail, tables)
