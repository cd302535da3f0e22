"""The laws. Each takes a table and returns its violations: one line per feature, with the time and the values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import WINDOWS
from fxloom.features.feature import Table
from fxloom.features.missing import FIXED_SPREAD
from fxloom.features.pair_view import View
from fxloom.features.panel_view import PanelView
from fxloom.series.panel import own_spread
from tests.laws.specimens import (
    Specimen,
    cut_positions,
    lively,
    month_edges,
    short,
    still,
    troubled,
    with_absurd_values_after,
    with_flat_stretch,
    with_gap,
    with_noise_after,
    with_tick_off,
    without_volume_and_quotes,
)
from tests.laws.trial import Trial, Trials, compute_on, describe_first, deviations, differences, reference, run

Law = Callable[[Table], list[str]]
LawOnSpecimen = Callable[[Table, Specimen], list[str]]

SLACK = 1e-9  # relative, of a bound: the rounding of a ratio exactly at it
GRACE = 1_440  # bars after the warm-up within which a feature that may be undefined must have a value
ROUNDING_NOISE = 1e-12  # a smaller value, from a price that never moves, is rounding noise
TAIL = 700  # clock bars after a cut
HEAD = 500  # clock bars before the history of a cut's rows
NO_TOLERANCE: dict[tuple[str, str], float] = {}


# -- shape -----------------------------------------------------------------------------------------------------------


def shape_and_type(table: Table) -> list[str]:
    """Every column is a float64 array with one value per clock bar (and pair)."""
    frame = lively(table.family.scope).frame(table.family.scope)
    view = frame.view(table.domain)
    shape = (len(view.pairs), len(view)) if isinstance(view, PanelView) else (len(view),)
    columns = table.family.compute(view)
    return [
        f"{name}: {column.dtype} of shape {column.shape}"
        for name, column in columns.items()
        if (column.dtype, column.shape) != (np.dtype(np.float64), shape)
    ]


def inputs_unmodified(table: Table) -> list[str]:
    """Neither bars nor shared series are modified, and a second run gives the same values."""
    frame = troubled(table.family.scope).frame(table.family.scope)
    view = frame.view(table.domain)
    before = {name: column.copy() for name, column in _inputs(view).items()}
    once = _copied(run(table, frame))
    after = _inputs(view)
    reported = [f"{name} was changed" for name, column in before.items() if not _same(column, after[name])]
    again = _copied(run(table, frame))
    return reported + [
        f"{name} of {pair} differs in a second run"
        for pair, name in once
        if not _same(once[pair, name], again[pair, name])
    ]


def _inputs(view: View | PanelView) -> dict[str, Floats]:
    series = {f"momentum({w})": view.momentum(w) for w in WINDOWS} | {"r": view.r, "x": view.x}
    if isinstance(view, PanelView):
        bars = {f"{p} {c}": getattr(b, c) for p, b in view.frame.bars.items() for c in ("ts", "close", "spread")}
        return series | bars | {"price": view.price, "present": view.present, "spread": own_spread(view)}
    names = ("ts", "open", "high", "low", "close", "volume", "spread", "observed")
    ohlc = {f"ohlc[{i}]": column for i, column in enumerate(view.ohlc)}
    return series | ohlc | {name: getattr(view.frame.bars, name) for name in names}


def _copied(trials: Trials) -> dict[tuple[str, str], Floats]:
    return {(pair, name): column.copy() for pair, t in trials.items() for name, column in t.columns.items()}


def _same(a: Floats, b: Floats) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))


def short_histories(table: Table) -> list[str]:
    """A few bars raise no error, and give no value before the warm-up."""
    reported = []
    for n in (1, 2, 7, 40):
        reported += [f"after {n} minutes: {line}" for line in _early(compute_on(table, short(table.family.scope, n)))]
    return reported


# -- values ----------------------------------------------------------------------------------------------------------


def never_before_warmup(table: Table) -> list[str]:
    """No value before the declared warm-up, wherever history begins."""
    specimen = lively(table.family.scope)
    reported = early_on(table, specimen)
    longest = max(f.column.warmup for f in table.features)
    for begin in (1, 123, 4_321):  # other minutes of the hour, and another day
        end = min(begin + longest + 200, len(specimen.ts) - 1)
        reported += _early(compute_on(table, specimen.between(int(specimen.ts[begin]), int(specimen.ts[end]))))
    return reported


def early_on(table: Table, specimen: Specimen) -> list[str]:
    return _early(reference(table, specimen))


def _early(trials: Trials) -> list[str]:
    reported = []
    for trial in trials.values():
        for f in trial.table.features:
            values = trial.columns[f.name]
            early = ~np.isnan(values) & trial.early(f) & trial.stored
            reported += describe_first(f"{f.name} of {trial.pair} (warm-up {f.column.warmup})", early, trial.ts, values)
    return reported


def present_from_warmup_on(table: Table) -> list[str]:
    """A value right at the declared warm-up; soon after it if the formula may be undefined."""
    return [line for trial in reference(table, lively(table.family.scope)).values() for line in _late(trial)]


def _late(trial: Trial) -> list[str]:
    reported = []
    for f in trial.table.features:
        due = np.flatnonzero(trial.due(f) & ~trial.reason_known(f))
        if len(due) == 0 and not trial.reason_known(f).any():
            reported.append(f"{f.name} of {trial.pair}: never due in {len(trial.ts)} bars")
        wait = due[: GRACE if f.column.undefined else 1]
        values = trial.columns[f.name]
        if len(wait) and not np.isfinite(values[wait]).any():
            reported.append(f"{f.name} of {trial.pair}: warm-up {f.column.warmup}, but {_first_value(values)}")
    return reported


def _first_value(values: Floats) -> str:
    finite = np.flatnonzero(np.isfinite(values))
    return f"the first value is at {finite[0]}" if len(finite) else "there is no value at all"


def missing_only_with_reason(table: Table) -> list[str]:
    """Once due, a value is missing only where its declaration or the family gives a reason."""
    return [line for specimen in _value_specimens(table) for line in unexplained_on(table, specimen)]


def unexplained_on(table: Table, specimen: Specimen) -> list[str]:
    reported = []
    for trial in reference(table, specimen).values():
        for f in (f for f in table.features if f.column.undefined is None):
            values = trial.columns[f.name]
            missing = np.isnan(values) & trial.due(f) & ~trial.reason_known(f) & trial.stored
            reported += describe_first(f"{specimen.name}: {f.name} of {trial.pair}", missing, trial.ts, values)
    return reported


def populated(table: Table) -> list[str]:
    """In a lively market nearly all values are present: undefined bars are the exception."""
    return empty_on(table, lively(table.family.scope))


def empty_on(table: Table, specimen: Specimen) -> list[str]:
    reported = []
    for trial in reference(table, specimen).values():
        for f in table.features:
            due = trial.stored & trial.due(f) & ~trial.reason_known(f)
            share = float(np.isfinite(trial.columns[f.name][due]).mean()) if due.any() else 1.0
            if share < (0.95 if f.column.undefined else 0.99):
                reported.append(
                    f"{specimen.name}: {f.name} of {trial.pair}: only {share:.1%} of the values that are due"
                )
    return reported


def finite_and_in_range(table: Table) -> list[str]:
    """No infinity, no negative zero, nothing outside the declared range, on a lively and on a troubled market."""
    return [line for specimen in _value_specimens(table) for line in invalid_on(table, specimen)]


def _value_specimens(table: Table) -> Sequence[Specimen]:
    return [specimen(table.family.scope) for specimen in (lively, troubled, without_volume_and_quotes)]


def invalid_on(table: Table, specimen: Specimen) -> list[str]:
    return [line for trial in reference(table, specimen).values() for line in _invalid(trial, specimen.name)]


def _invalid(trial: Trial, where: str) -> Iterable[str]:
    for f in trial.table.features:
        values, low, high = trial.columns[f.name], f.column.low, f.column.high
        below = values < (low - SLACK * max(1.0, abs(low)) if np.isfinite(low) else low)
        above = values > (high + SLACK * max(1.0, abs(high)) if np.isfinite(high) else high)
        faults = {
            "infinite": np.isinf(values),
            f"range {low:.6g} to {high:.6g}": below | above,
            "negative zero": (values == 0.0) & np.signbit(values),
        }
        for why, off in faults.items():
            yield from describe_first(f"{where}: {f.name} of {trial.pair}, {why},", off, trial.ts, values)


def still_prices(table: Table) -> list[str]:
    """A price that never moves gives no infinity, nothing out of range, and no rounding noise."""
    reported: list[str] = []
    levels = ((112.345, 107.77, 3.0), (0.009127, 0.0091, 0.0), (1.23457, 1.1, 20.0))
    for price, baseline, volume in levels[: 1 if table.family.scope == "panel" else 3]:
        specimen = still(table.family.scope, price, baseline, volume)
        for trial in compute_on(table, specimen).values():
            reported += _invalid(trial, specimen.name)
            reported += _rounding_noise(trial, specimen.name) if table.family.name != "time_features" else []
    return reported


def _rounding_noise(trial: Trial, where: str) -> Iterable[str]:
    for name, values in trial.columns.items():
        dust = (values != 0.0) & (np.abs(values) < ROUNDING_NOISE)
        yield from describe_first(f"{where}: {name} of {trial.pair}, rounding noise,", dust, trial.ts, values)


def not_constant(table: Table) -> list[str]:
    """Every feature varies within every month of at least three weeks, unless declared possibly constant."""
    return constant_on(table, lively(table.family.scope))


def constant_on(table: Table, specimen: Specimen) -> list[str]:
    reported = []
    for trial in reference(table, specimen).values():
        edges = [0, *month_edges(trial.ts[trial.rows]), len(trial.rows)]
        for (first, end), f in ((span, f) for span in pairwise(edges) for f in table.features):
            values = trial.columns[f.name][trial.rows[first:end]]
            values = values[np.isfinite(values)]
            enough = len(values) > (8_000 if table.family.scope == "panel" else 20_000)
            excused = f.column.may_be_constant not in (None, FIXED_SPREAD)  # the synthetic spreads vary
            if enough and not excused and values.min() == values.max():
                reported.append(f"{f.name} of {trial.pair} is {values[0]!r} in all {len(values)} rows of a month")
    return reported


# -- dependence ------------------------------------------------------------------------------------------------------


def later_bars_do_not_matter(table: Table) -> list[str]:
    """Rows before a cut are bit-identical if the bars after it are removed or replaced."""
    worlds = lively(table.family.scope), troubled(table.family.scope)
    return [line for specimen in worlds for line in causal_on(table, specimen)]


def causal_on(table: Table, specimen: Specimen) -> list[str]:
    return [line for cut in _cuts(table, specimen) for line in _changed_by_later_bars(table, specimen, cut)]


def _cuts(table: Table, specimen: Specimen) -> Sequence[int]:
    cuts = cut_positions(specimen, min(table.lookback + HEAD, len(specimen.ts) * 3 // 4))
    costly = table.family.scope == "panel" or any(f.column.anchor == "week" for f in table.features)
    return cuts[-2:] if specimen.name != "lively" else cuts[1::2] if costly else cuts


def _changed_by_later_bars(table: Table, specimen: Specimen, cut: int) -> list[str]:
    begin, end = max(0, cut - table.lookback - HEAD), min(cut + TAIL, len(specimen.ts) - 1)
    moment = int(specimen.ts[cut])
    whole = specimen.between(int(specimen.ts[begin]), int(specimen.ts[end]))
    expected = compute_on(table, whole)
    reported = []
    variants = {
        "removed": whole.before(moment),
        "replaced by noise": with_noise_after(whole, moment),
        "absurd": with_absurd_values_after(whole, moment),
    }
    for how, variant in variants.items():
        lines = differences(table.features, compute_on(table, variant), expected, (0, moment), NO_TOLERANCE)
        reported += [f"{specimen.name}, later bars {how}: {line}" for line in lines]
    return reported


def pieces_make_the_whole(table: Table) -> list[str]:
    """Computed in pieces of odd lengths, each from its declared lookback alone, a feature has the same values."""
    return pieces_on(table, lively(table.family.scope))


def pieces_on(table: Table, specimen: Specimen) -> list[str]:
    whole = reference(table, specimen)
    stds = deviations(whole)
    reported = []
    for number, lookback in enumerate(sorted({f.column.lookback for f in table.features})):
        features = [f for f in table.features if f.column.lookback == lookback]
        pieces = _pieces(specimen, lookback)
        for first, length in pieces if table.family.scope == "pair" else [pieces[number % len(pieces)]]:
            piece = specimen.between(int(specimen.ts[first - lookback]), int(specimen.ts[first + length]))
            trials = run(table, piece.frame(table.family.scope), 0, lookback)
            span = int(specimen.ts[first]), int(specimen.ts[first + length])
            lines = differences(features, trials, whole, span, stds)
            reported += [f"from its lookback of {lookback}: {line}" for line in lines]
    return reported


def _pieces(specimen: Specimen, lookback: int) -> Sequence[tuple[int, int]]:
    """First clock position and length of each piece, one of them a single minute; each lookback starts at a bar."""
    firsts = cut_positions(specimen, lookback + 300)
    begins = [_latest_observed(specimen, first - lookback) for first in firsts]
    return [(begin + lookback, n) for begin, n in zip(begins, (211, 1, 97, 333, 150), strict=False)]


def _latest_observed(specimen: Specimen, position: int) -> int:
    """The position of the latest observed minute at or before a clock position."""
    row = np.searchsorted(specimen.observed, specimen.ts[position], side="right") - 1
    return int(np.searchsorted(specimen.ts, specimen.observed[row]))


def shared_work_changes_nothing(table: Table) -> list[str]:
    """Work that other tables computed from an earlier start can be reused by a later one."""
    specimen = lively(table.family.scope)
    whole = reference(table, specimen)
    first = cut_positions(specimen, table.lookback + 1)[-1]
    frame = specimen.before(int(specimen.ts[first + 150])).frame(table.family.scope)
    start = first - table.lookback
    run(table, frame, max(0, start - 1_001))
    span = int(specimen.ts[first]), int(specimen.ts[first + 150])
    return differences(table.features, run(table, frame, start, first), whole, span, deviations(whole))


def forgotten_after_lookback(table: Table) -> list[str]:
    """A tick 1 % off, a flat stretch and a gap have no effect beyond the lookback."""
    specimen = lively(table.family.scope)
    stds = deviations(reference(table, specimen))
    pair = "eurusd"
    bars = specimen.bars[pair]
    begin = min(table.lookback + 300, len(specimen.ts) // 2)
    moment = int(bars.ts[np.searchsorted(bars.ts, specimen.ts[begin])])
    end = min(begin + table.lookback + 400, len(specimen.ts) - 1)
    part = specimen.before(int(specimen.ts[end]))
    expected = compute_on(table, part)
    changes = {
        "a tick off": (with_tick_off(part, pair, moment), 1),
        "a flat stretch": (with_flat_stretch(part, pair, moment, 47), 47),
        "a gap": (with_gap(part, pair, moment, 31), 31),
    }
    reported = []
    for what, (changed, length) in changes.items():
        found = compute_on(table, changed)
        past = int(np.searchsorted(part.ts, moment + length))
        for f in table.features:
            since = int(specimen.ts[min(past + f.column.lookback, end)])
            lines = differences([f], found, expected, (since, int(specimen.ts[end])), stds)
            reported += [f"after {what}: {line}" for line in lines]
    return reported


LAWS: Sequence[Law] = (
    shape_and_type,
    inputs_unmodified,
    short_histories,
    never_before_warmup,
    present_from_warmup_on,
    missing_only_with_reason,
    populated,
    finite_and_in_range,
    still_prices,
    not_constant,
    later_bars_do_not_matter,
    pieces_make_the_whole,
    shared_work_changes_nothing,
    forgotten_after_lookback,
)
ON_SPECIMENS: Sequence[LawOnSpecimen] = (
    early_on,
    unexplained_on,
    empty_on,
    invalid_on,
    constant_on,
    causal_on,
    pieces_on,
)
