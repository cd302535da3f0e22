"""Tables on terminals of several widths: lines fit, names are not broken."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from fxloom.cli.checking import AUDIT_COLUMNS
from fxloom.cli.tables import fitted

AUDIT = [
    ["advanced_microstructure_rate", 20, 12_345, 24_000_000, "POPULATED", "volume, spread", "0.41%", 0],
    ["bqx_momentum", 37, 4, 123_454, "PARTIAL", "", "12.50%", 3],
]
FEATURE = ["name", "unit", "formula", "source"]
FORMULA = "(upper - lower) / middle over its mean_240, bands mean_15 +- 2 population std_15 of C"
SOURCE = "J. Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib BBANDS"


def drawn(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(fitted(columns, rows, console.width))
    return [line.replace("\x1b[1m", "").replace("\x1b[0m", "").rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_line_is_wider_than_the_terminal_and_no_name_is_broken(width: int) -> None:
    lines = drawn(AUDIT_COLUMNS, AUDIT, width)
    assert max(map(len, lines)) <= width
    for word in ("advanced_microstructure_rate", "bqx_momentum", "POPULATED", "24,000,000", "12.50%"):
        assert any(word in line for line in lines), word


def test_overflowing_cells_go_below_their_row() -> None:
    lines = drawn(AUDIT_COLUMNS, AUDIT, 100)
    row = next(i for i, line in enumerate(lines) if line.startswith("bqx_momentum"))
    assert lines[row + 1] == "    findings: 3"
    assert not any("findings: 0" in line for line in lines)


def test_a_wide_terminal_has_a_line_for_each_row() -> None:
    assert len(drawn(AUDIT_COLUMNS, AUDIT, 140)) == 3


def test_a_column_without_a_cell_is_left_out() -> None:
    (heading, _) = drawn(AUDIT_COLUMNS, AUDIT[1:], 140)
    assert "proxy" not in heading
    assert "findings" in heading


def test_long_texts_wrap_at_words() -> None:
    row = [["bb_width_15_rate", "ratio", FORMULA, SOURCE]]
    beside, below = drawn(FEATURE, row, 120), drawn(FEATURE, row, 60)
    for lines in (beside, below):
        words = [word for line in lines for word in line.split()]
        assert set(FORMULA.split()) | set(SOURCE.split()) <= set(words)
    assert below[1] == "bb_width_15_rate  ratio"
    assert below[2].startswith("    formula: (upper - lower)")


def test_markup_in_a_cell_is_printed_as_text() -> None:
    assert "[0, 240]" in drawn(["range"], [["[0, 240]"]], 80)[1]
    assert "[bold]" in drawn(["range"], [["[bold]"]], 80)[1]
