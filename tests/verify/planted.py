"""Tables of one feature each: valid ones, and one for every kind of lookahead or dependence on the slice."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

from fxloom.bars.bars import Floats
from fxloom.engine.plan import make_plan
from fxloom.features.domain import RATE
from fxloom.features.feature import Column, Columns, Family, Table, tables_of
from fxloom.features.pair_view import View
from fxloom.features.panel_view import PanelView
from fxloom.run.state import state_of
from fxloom.run.workers import record_for
from fxloom.stores.base import Store
from fxloom.verify.units import make_replay

W = 20


def planted(name: str, compute: Callable[[View], Floats], lookback: int = W, recursive: bool = False) -> Table:
    """The table ``name`` with one feature of the same name."""
    column = Column(name, "", "", warmup=W, lookback=lookback, recursive=recursive)

    def columns_of(view: View) -> Columns:
        out = np.array(compute(view))
        out[:W] = np.nan
        return {name: out}

    return tables_of(Family(name, lambda _: [column], columns_of, domains=(RATE,), dual=False))[0]


def publish(store: Store, tables: list[Table]) -> None:
    """Populate planted tables, which are not in the catalogue."""
    settings = store.settings()
    assert settings is not None
    for task in make_plan(state_of(store), tables, force=True).tasks:
        chosen = [t for t in tables if t.name in {p.key.table for p in task.partitions}]
        items = {(p.key.table, p.key.pair): p for p in task.partitions}
        for key, computed in make_replay(store, task, chosen, 0).base().items():
            store.publish(record_for(settings, items[key], computed), computed.ts, computed.pairs, computed.columns)


# -- valid tables ----------------------------------------------------------------------------------------------------


def change(view: View) -> Floats:
    """The change over 20 bars."""
    out = np.full(len(view), np.nan)
    out[W:] = view.price[W:] - view.price[:-W]
    return out


def filtered(view: View) -> Floats:
    """Probability of the volatile one of two states, from the bars up to t: recursive."""
    return filter_forward(_evidence(view))


@numba.njit()
def filter_forward(evidence: Floats) -> Floats:
    out = np.full(len(evidence), np.nan)
    p = 0.5
    for t in range(len(evidence)):
        p = 0.95 * p + 0.05 * (1.0 - p)
        p = p * evidence[t] / (p * evidence[t] + 1.0 - p)
        out[t] = p
    return out


def _evidence(view: View) -> Floats:
    """Likelihood ratio of the volatile state to the calm one."""
    r = np.nan_to_num(view.r)
    return 0.4 * np.exp(np.minimum(0.4 * (r / 1e-4) ** 2, 6.0))


# -- lookahead -------------------------------------------------------------------------------------------------------


def centred(view: View) -> Floats:
    """A window that looks five bars ahead."""
    out = change(view)
    out[:-5] = out[5:]
    return out


def smoothed(view: View) -> Floats:
    """Forward and backward filters combined: a smoothed probability."""
    evidence = _evidence(view)
    forward, backward = filter_forward(evidence), filter_forward(evidence[::-1].copy())[::-1]
    return forward * backward / (forward * backward + (1 - forward) * (1 - backward))


def fitted_on_all(view: View) -> Floats:
    """A regression of changes on previous changes, fitted on all available rows."""
    r = np.nan_to_num(view.r)
    slope = np.dot(r[1:], r[:-1]) / max(np.dot(r, r), 1e-300)
    return slope * r


def z_of_the_month(view: View) -> Floats:
    """Standardised with mean and deviation of the stored month."""
    month = view.price[view.first :]
    return (view.price - month.mean()) / (month.std() + 1e-12)


def back_filled(view: View) -> Floats:
    """The value of the next full hour."""
    out = change(view)
    full = np.flatnonzero(view.ts % 60 == 0)
    where = np.searchsorted(full, np.arange(len(out)))
    known = where < len(full)
    out[known] = out[full[where[known]]]
    return out


def peeking(view: View) -> Floats:
    """The next change where it exists: a label among the features."""
    out = np.nan_to_num(view.r)
    out[:-1] = out[1:]
    return out


# -- dependence on the slice -----------------------------------------------------------------------------------------


def cumulative(view: View) -> Floats:
    """A running sum, which never forgets its start."""
    return np.cumsum(np.nan_to_num(view.r))


def phase(view: View) -> Floats:
    """Every seventh bar, counted from the first of the slice."""
    return np.arange(float(len(view))) % 7.0


def block_sum(view: View) -> Floats:
    """The same formula in blocks of 64 rows from the start of the slice: only the last bits differ."""
    out, r = np.full(len(view), np.nan), np.nan_to_num(view.r)
    for begin in range(0, len(r), 64):
        total = np.cumsum(r[max(begin - W, 0) : begin + 64])
        rows = min(64, len(r) - begin)
        if begin:
            out[begin : begin + rows] = total[W:] - total[:-W]
    return out


def of_another_pair(view: PanelView) -> Columns:
    """The mean close of all pairs at the next minute."""
    out = np.repeat(np.nanmean(np.nan_to_num(view.price), axis=0)[None, :], len(view.pairs), axis=0)
    out[:, :-1] = out[:, 1:]
    out[:, :W] = np.nan
    return {"of_another_pair": out}


def panel_table() -> Table:
    column = Column("of_another_pair", "", "", warmup=W, lookback=7_200 + W)
    family = Family("of_another_pair", lambda _: [column], of_another_pair, (RATE,), dual=False, scope="panel")
    return tables_of(family)[0]


def short_and_long() -> Table:
    """Two features over 40 bars, one of which declares 20: the table's lookback hides it."""

    def columns_of(view: View) -> Columns:
        out = np.full(len(view), np.nan)
        out[40:] = view.price[40:] - view.price[:-40]
        early = out.copy()
        early[W:40] = 0.0
        return {"long_of_two": out, "short_of_two": early}

    columns = [Column("long_of_two", "", "", warmup=40), Column("short_of_two", "", "", warmup=W)]
    return tables_of(Family("of_two", lambda _: columns, columns_of, domains=(RATE,), dual=False))[0]
