"""The laws of tables of one pair. Each takes a table and returns what breaks it, a line a feature, with the moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from specimens import (
    Specimen,
    lively,
    moments_of,
    month_edges,
    short,
    still,
    troubled,
    with_absurd_values_after,
    with_flat_stretch,
    with_hole,
    with_noise_after,
    with_tick_off,
    without_volume_and_quotes,
)
from trial import Trial, deviation, differences, reference, run, told_at, try_out

from fxloom.bars import Flags, Floats
from fxloom.domain import WINDOWS
from fxloom.feature import Feature, Table
from fxloom.quality import due_rows
from fxloom.view import View

Law = Callable[[Table], list[str]]
LawOnSpecimen = Callable[[Table, Specimen], list[str]]

SLACK = 1e-12  # of a bound, relative: the rounding of a ratio that is exactly at it
SOON = 1_440  # bars after the warm-up in which a feature that may be undefined must show a value
DUST = 1e-12  # a value smaller than this, of a price that never moves, is rounding noise
TAIL = 700  # bars after a cut
HEAD = 500  # bars before what a cut's rows look back on


# -- shape -----------------------------------------------------------------------------------------------------------


def shape_and_type(table: Table) -> list[str]:
    """Every column is a float64 array with one value a clock bar."""
    trial = reference(table, lively())
    want = (np.dtype(np.float64), (len(trial.view),))
    return [
        f"{name}: {column.dtype} of shape {column.shape}"
        for name, column in trial.columns.items()
        if (column.dtype, column.shape) != want
    ]


def inputs_unmodified(table: Table) -> list[str]:
    """Neither the bars nor the series that tables share are written into, and a second run finds the same."""
    frame = troubled().frame()
    view = frame.view(table.domain)
    before = {name: column.copy() for name, column in _inputs(view).items()}
    once = {name: column.copy() for name, column in run(table, frame).columns.items()}
    after = _inputs(view)
    told = [f"{name} was changed" for name, column in before.items() if not _same(column, after[name])]
    again = run(table, frame).columns
    return told + [f"{name} is another at a second run" for name in once if not _same(once[name], again[name])]


def _inputs(view: View) -> dict[str, Floats]:
    bars = view.frame.bars
    names = ("ts", "open", "high", "low", "close", "volume", "spread", "observed")
    series = {f"momentum({w})": view.momentum(w) for w in WINDOWS} | {"r": view.r, "x": view.x}
    ohlc = {f"ohlc[{i}]": column for i, column in enumerate(view.ohlc)}
    return {name: getattr(bars, name) for name in names} | series | ohlc


def _same(a: Floats, b: Floats) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))


def short_histories(table: Table) -> list[str]:
    """A few bars are no error, and give no value before the warm-up."""
    told = []
    for n in (1, 2, 7, 40):
        trial = try_out(table, short(n))
        told += [f"after {n} bars: {line}" for line in _early(trial)]
        told += [f"{name}: {len(c)} values" for name, c in trial.columns.items() if len(c) != len(trial.view)]
    return told


# -- values ----------------------------------------------------------------------------------------------------------


def never_before_warmup(table: Table) -> list[str]:
    """No value before the declared warm-up, wherever history begins."""
    told = early_on(table, lively())
    for begin in (1, 123, 4_321):  # other minutes of the hour, another day
        told += _early(try_out(table, lively().between(begin, begin + min(30_000, _warmup(table) + 200))))
    return told


def early_on(table: Table, specimen: Specimen) -> list[str]:
    return _early(reference(table, specimen))


def present_from_warmup_on(table: Table) -> list[str]:
    """A value at the declared warm-up at once; soon after it where the formula may have none."""
    trial = reference(table, lively())
    told = []
    for f in table.features:
        due = _due(f, trial)
        if not due.any():
            told.append(f"{f.name}: never due in {len(due)} bars")
            continue
        first = int(np.flatnonzero(due)[0])
        wait = SOON if f.column.undefined else 1
        values = trial.columns[f.name][first : first + wait]
        if not (np.isfinite(values) | trial.reason_known(f)[first : first + wait]).any():
            told.append(f"{f.name}: warm-up {f.column.warmup}, but {_first_value(trial.columns[f.name])}")
    return told


def _first_value(values: Floats) -> str:
    finite = np.flatnonzero(np.isfinite(values))
    return f"the first value is at {finite[0]}" if len(finite) else "there is no value at all"


def _early(trial: Trial) -> list[str]:
    told = []
    for f in trial.table.features:
        values = trial.columns[f.name]
        told += told_at(
            f"{f.name} (warm-up {f.column.warmup})", ~np.isnan(values) & ~_due(f, trial), trial.view.ts, values
        )
    return told


def _due(feature: Feature, trial: Trial) -> Flags:
    return due_rows(feature.column, trial.view.ts, np.arange(len(trial.view)))


def _warmup(table: Table) -> int:
    return max(f.column.warmup for f in table.features)


def missing_with_reason_only(table: Table) -> list[str]:
    """Once due, a value is missing only where the record or the family says why."""
    return [line for specimen in _value_specimens() for line in lost_on(table, specimen)]


def lost_on(table: Table, specimen: Specimen) -> list[str]:
    trial = reference(table, specimen)
    told = []
    for f in table.features:
        if f.column.undefined is None:
            lost = np.isnan(trial.columns[f.name]) & _due(f, trial) & ~trial.reason_known(f)
            told += told_at(f"{specimen.name}: {f.name}", lost, trial.view.ts, trial.columns[f.name])
    return told


def populated(table: Table) -> list[str]:
    """In a lively market nearly all values are there: undefined moments are the exception."""
    return empty_on(table, lively())


def empty_on(table: Table, specimen: Specimen) -> list[str]:
    trial = reference(table, specimen)
    told = []
    for f in table.features:
        due = _due(f, trial) & ~trial.reason_known(f)
        share = float(np.isfinite(trial.columns[f.name][due]).mean()) if due.any() else 0.0
        if share < (0.5 if f.column.undefined else 0.99):
            told.append(f"{f.name}: only {share:.1%} of the values that are due")
    return told


def finite_and_in_range(table: Table) -> list[str]:
    """No infinity, no negative zero, nothing outside of the declared range: on a lively and on a troubled market."""
    return [line for specimen in _value_specimens() for line in unfit_on(table, specimen)]


def unfit_on(table: Table, specimen: Specimen) -> list[str]:
    return _unfit(reference(table, specimen), specimen)


def _value_specimens() -> Sequence[Specimen]:
    return lively(), troubled(), without_volume_and_quotes()


def _unfit(trial: Trial, specimen: Specimen) -> list[str]:
    told = []
    for f in trial.table.features:
        values, column = trial.columns[f.name], f.column
        ranges = f"range {column.low:.6g} to {column.high:.6g}"
        below = (
            values < column.low - SLACK * max(1.0, abs(column.low)) if np.isfinite(column.low) else values == -np.inf
        )
        above = (
            values > column.high + SLACK * max(1.0, abs(column.high)) if np.isfinite(column.high) else values == np.inf
        )
        negative_zero = (values == 0.0) & np.signbit(values)
        for why, off in (("infinite", np.isinf(values)), (ranges, below | above), ("negative zero", negative_zero)):
            told += told_at(f"{specimen.name}: {f.name}, {why},", off, trial.view.ts, values)
    return told


def still_prices(table: Table) -> list[str]:
    """A price that never moves gives no infinity, nothing out of range, and no rounding noise."""
    told = []
    for price, baseline, volume in ((1.23457, 1.1, 20.0), (0.009127, 0.0091, 0.0), (112.345, 107.77, 3.0)):
        specimen = still(price, baseline, volume)
        trial = try_out(table, specimen)
        told += _unfit(trial, specimen)
        for f in table.features if table.family.name != "time_features" else ():
            values = trial.columns[f.name]
            dust = (values != 0.0) & (np.abs(values) < DUST)
            told += told_at(f"{specimen.name}: {f.name}, rounding noise,", dust, trial.view.ts, values)
    return told


def not_constant(table: Table) -> list[str]:
    """Every feature moves within every whole month, unless its record says that it may not."""
    return constant_on(table, lively())


def constant_on(table: Table, specimen: Specimen) -> list[str]:
    trial = reference(table, specimen)
    edges = [0, *month_edges(specimen.bars), len(specimen.bars)]
    told = []
    for first, end in pairwise(edges):
        rows = trial.rows[first:end]
        for f in table.features:
            values = trial.columns[f.name][rows]
            values = values[np.isfinite(values)]
            if len(values) > 20_000 and not f.column.may_be_constant and values.min() == values.max():
                told.append(f"{f.name} is {values[0]!r} in all {len(values)} rows of a month")
    return told


# -- dependence ------------------------------------------------------------------------------------------------------


def later_bars_do_not_matter(table: Table) -> list[str]:
    """The same to the last bit in every row before a cut, if the bars after it go, or are replaced by others."""
    return [line for specimen in (lively(), troubled()) for line in causal_on(table, specimen)]


def causal_on(table: Table, specimen: Specimen) -> list[str]:
    return [line for cut in _cuts(table, specimen) for line in _changed_by_later_bars(table, specimen, cut)]


def _cuts(table: Table, specimen: Specimen) -> Sequence[int]:
    least = min(table.lookback + HEAD, len(specimen.bars) * 3 // 4)
    cuts = moments_of(specimen.bars, least)
    anchored = any(f.column.anchor for f in table.features)
    return cuts[-2:] if anchored or specimen.name != "lively eurusd" else cuts


def _changed_by_later_bars(table: Table, specimen: Specimen, cut: int) -> list[str]:
    begin = max(0, cut - table.lookback - HEAD)
    whole = specimen.between(begin, cut + TAIL)
    before = cut - begin
    expected = _stored(try_out(table, whole), before)
    told = []
    variants = {
        "removed": whole.between(0, before),
        "replaced by noise": with_noise_after(whole, before),
        "absurd": with_absurd_values_after(whole, before),
    }
    for how, variant in variants.items():
        found = _stored(try_out(table, variant), before)
        for name, values in expected.items():
            off = (found[name] != values) & ~(np.isnan(found[name]) & np.isnan(values))
            told += told_at(
                f"{specimen.name}, later bars {how}: {name}", off, whole.bars.ts[:before], found[name], values
            )
    return told


def _stored(trial: Trial, rows: int) -> dict[str, Floats]:
    """The columns at the first ``rows`` observed bars."""
    return {name: column[trial.rows[:rows]] for name, column in trial.columns.items()}


def pieces_make_the_whole(table: Table) -> list[str]:
    """Computed in odd pieces, each from its declared lookback alone, a feature has the values of the whole."""
    return pieces_on(table, lively())


def pieces_on(table: Table, specimen: Specimen) -> list[str]:
    whole = reference(table, specimen)
    stds = {name: deviation(column) for name, column in whole.columns.items()}
    told = []
    for lookback in sorted({f.column.lookback for f in table.features}):
        features = [f for f in table.features if f.column.lookback == lookback]
        for first, length in _pieces(specimen, lookback):
            told += _unlike_whole(whole, specimen, features, first, length, stds)
    return told


def _pieces(specimen: Specimen, lookback: int) -> Sequence[tuple[int, int]]:
    """First clock position and length of pieces: a single minute, from a random one, a week's open, a month's edge."""
    moments = moments_of(specimen.bars, lookback + 1)
    positions = [int(specimen.clock.observed[m]) for m in moments]
    return list(zip(positions, (211, 1, 97, 333), strict=False))


def _unlike_whole(
    whole: Trial, specimen: Specimen, features: Sequence[Feature], first: int, length: int, stds: dict[str, float]
) -> list[str]:
    piece = specimen.between(0, specimen.bar_at(first + length))
    lookback = features[0].column.lookback
    start = first - lookback
    trial = run(whole.table, piece.frame(), start, first)
    end = len(trial.view)
    found = {f.name: trial.columns[f.name][trial.view.first : end] for f in features}
    expected = {f.name: whole.columns[f.name][first : start + end] for f in features}
    lines = differences(features, found, expected, trial.view.ts[trial.view.first :], stds)
    return [f"from its lookback of {lookback}: {line}" for line in lines]


def shared_work_changes_nothing(table: Table) -> list[str]:
    """What other tables have computed from an earlier start serves a later one."""
    specimen = lively()
    whole = reference(table, specimen)
    stds = {name: deviation(column) for name, column in whole.columns.items()}
    first = int(specimen.clock.observed[moments_of(specimen.bars, table.lookback + 1)[-1]])
    frame = specimen.between(0, specimen.bar_at(first + 150)).frame()
    start = first - table.lookback
    run(table, frame, max(0, start - 1_001))
    trial = run(table, frame, start, first)
    found = {name: c[trial.view.first :] for name, c in trial.columns.items()}
    expected = {name: whole.columns[name][first : start + len(trial.view)] for name in found}
    return differences(table.features, found, expected, trial.view.ts[trial.view.first :], stds)


def forgotten_after_lookback(table: Table) -> list[str]:
    """A tick 1 % off, a flat stretch and a hole are forgotten once they are farther back than the lookback."""
    specimen = lively()
    stds = {name: deviation(c) for name, c in reference(table, specimen).columns.items()}
    bar = table.lookback + 300
    part = specimen.between(0, bar + 61 + table.lookback + 300)
    expected = try_out(table, part)
    told = []
    for what, changed, length in (
        ("a tick off", with_tick_off(part, bar), 1),
        ("a flat stretch", with_flat_stretch(part, bar, 47), 47),
        ("a hole", with_hole(part, bar, 31), 31),
    ):
        told += [f"after {what}: {line}" for line in _remembered(table, part, changed, expected, bar + length, stds)]
    return told


def _remembered(
    table: Table, part: Specimen, changed: Specimen, expected: Trial, end: int, stds: dict[str, float]
) -> list[str]:
    found = try_out(table, changed)
    told = []
    for f in table.features:
        since = int(part.clock.observed[end]) + f.column.lookback  # the last changed bar lies before ``end``
        a, b = {f.name: found.columns[f.name][since:]}, {f.name: expected.columns[f.name][since:]}
        told += differences([f], a, b, expected.view.ts[since:], stds)
    return told


ON_SPECIMENS: Sequence[LawOnSpecimen] = (early_on, lost_on, empty_on, unfit_on, constant_on, causal_on, pieces_on)

LAWS: Sequence[Law] = (
    shape_and_type,
    inputs_unmodified,
    short_histories,
    never_before_warmup,
    present_from_warmup_on,
    missing_with_reason_only,
    populated,
    finite_and_in_range,
    still_prices,
    not_constant,
    later_bars_do_not_matter,
    pieces_make_the_whole,
    shared_work_changes_nothing,
    forgotten_after_lookback,
)
