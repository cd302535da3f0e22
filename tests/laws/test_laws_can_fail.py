"""Every law can fail: planted faults are found by the law meant for them, and reported by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fxloom.bars.bars import Floats
from fxloom.features.domain import RATE
from fxloom.features.feature import Column, Columns, Family, Table, tables_of
from fxloom.features.pair_view import View
from tests.laws import rules
from tests.laws.rules import Law

W = 20


def planted(compute: Callable[[View], Floats], **declared: object) -> Table:
    """A table with one feature, "planted"."""
    column = Column("planted", "", "", **{"warmup": W, **declared})  # type: ignore[arg-type]

    def columns_of(view: View) -> Columns:
        return {"planted": compute(view)}

    return tables_of(Family("planted", lambda _: [column], columns_of, domains=(RATE,), dual=False))[0]


def lagged(y: Floats, lag: int) -> Floats:
    out = np.full(len(y), np.nan)
    out[lag:] = y[: max(len(y) - lag, 0)]
    return out


def honest(view: View) -> Floats:
    """The change over 20 bars."""
    return view.price - lagged(view.price, W) + 0.0


def centred(view: View) -> Floats:
    """A window that looks five bars ahead."""
    out = honest(view)
    out[:-5] = out[5:]
    out[:W] = np.nan
    return out


def z_of_the_whole(view: View) -> Floats:
    """Standardised with the mean and deviation of all bars, later ones included."""
    out = honest(view)
    return (out - np.nanmean(out)) / np.nanstd(out) if np.nanmax(out, initial=0.0) > 0 else out


def back_filled(view: View) -> Floats:
    """The value of the next full hour, filled backwards."""
    out = honest(view)
    full = np.flatnonzero(view.ts % 60 == 0)
    where = np.searchsorted(full, np.arange(len(out)))
    known = where < len(full)
    out[known] = out[full[where[known]]]
    out[:W] = np.nan
    return out


def from_the_beginning(view: View) -> Floats:
    """A running sum, which never forgets its start."""
    out = np.cumsum(np.nan_to_num(view.r))
    out[:W] = np.nan
    return out


def place_in_the_array(view: View) -> Floats:
    """Values whose last bits depend on the position in the array."""
    out = honest(view)
    out[1::8] *= 1.0 + 1e-15
    return out


def writes_into_its_input(view: View) -> Floats:
    view.close_index[-3:] *= 1.0 + 1e-9
    return honest(view)


def with_negative_zero(view: View) -> Floats:
    out = honest(view)
    out[out == 0.0] = -0.0
    return out


def infinite_where_still(view: View) -> Floats:
    out = honest(view)
    out[out == 0.0] = np.inf
    return out


def dusty(view: View) -> Floats:
    """A level decomposed and reassembled, which leaves rounding noise."""
    return (view.close_index * 1.1 - view.close_index) - 0.1 * lagged(view.close_index, W)


def with_a_gap(view: View) -> Floats:
    out = honest(view)
    out[view.ts % 10_007 == 0] = np.nan
    return out


def mostly_missing(view: View) -> Floats:
    out = honest(view)
    out[view.ts % 3 != 0] = np.nan
    return out


def constant(view: View) -> Floats:
    out = np.full(len(view), 1.0)
    out[:W] = np.nan
    return out


def too_short(view: View) -> Floats:
    return honest(view)[:-1]


FAULTS: list[tuple[Law, Table]] = [
    (rules.later_bars_do_not_matter, planted(centred)),
    (rules.later_bars_do_not_matter, planted(z_of_the_whole)),
    (rules.later_bars_do_not_matter, planted(back_filled)),
    (rules.pieces_make_the_whole, planted(from_the_beginning)),
    (rules.pieces_make_the_whole, planted(from_the_beginning, lookback=900, recursive=True)),
    (rules.pieces_make_the_whole, planted(place_in_the_array)),
    (rules.pieces_make_the_whole, planted(lambda v: v.price - lagged(v.price, W + 1), warmup=W)),
    (rules.shared_work_changes_nothing, planted(from_the_beginning)),
    (rules.forgotten_after_lookback, planted(from_the_beginning)),
    (rules.forgotten_after_lookback, planted(lambda v: v.price - lagged(v.price, W + 1), warmup=W)),
    (rules.inputs_unmodified, planted(writes_into_its_input)),
    (rules.finite_and_in_range, planted(with_negative_zero)),
    (rules.finite_and_in_range, planted(infinite_where_still)),
    (rules.finite_and_in_range, planted(honest, low=-1e-4)),
    (rules.finite_and_in_range, planted(honest, high=1e-4)),
    (rules.still_prices, planted(infinite_where_still)),
    (rules.still_prices, planted(dusty)),
    (rules.never_before_warmup, planted(honest, warmup=W + 1)),
    (rules.short_histories, planted(honest, warmup=W + 1)),
    (rules.present_from_warmup_on, planted(honest, warmup=W - 1)),
    (rules.present_from_warmup_on, planted(lambda v: v.price * np.nan, undefined="now and then")),
    (rules.missing_only_with_reason, planted(with_a_gap)),
    (rules.populated, planted(mostly_missing, undefined="now and then")),
    (rules.not_constant, planted(constant)),
    (rules.shape_and_type, planted(too_short)),
    (rules.shape_and_type, planted(lambda v: honest(v).astype(np.float32))),
]


@pytest.mark.parametrize(("law", "table"), FAULTS, ids=[f"{law.__name__}-{i}" for i, (law, _) in enumerate(FAULTS)])
def test_planted_fault_is_found(law: Law, table: Table) -> None:
    reported = law(table)
    assert reported
    assert any("planted" in line or "was changed" in line for line in reported)


@pytest.mark.parametrize("law", rules.LAWS, ids=lambda law: law.__name__)
def test_a_valid_feature_breaks_no_law(law: Law) -> None:
    assert law(planted(honest)) == []


def test_every_law_has_a_planted_fault() -> None:
    assert {law for law, _ in FAULTS} == set(rules.LAWS)


def test_the_message_names_feature_moment_and_both_values() -> None:
    reported = rules.later_bars_do_not_matter(planted(centred))
    assert any(" at 2018-0" in line and " instead of " in line and "rows)" in line for line in reported)
