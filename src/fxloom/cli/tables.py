"""Tables on a terminal, fitted to its width: names and numbers are never broken, texts wrap at words.

Columns that do not fit go below their row, indented and labelled: long texts first, then columns from the right; empty
and zero cells are omitted there. Columns with only empty cells are not shown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fxloom.cli.cells import text_of

STYLES = {
    "POPULATED": "green", "PARTIAL": "yellow", "WARMUP": "cyan", "EMPTY": "red", "MISSING": "red",
    "holds": "green", "FAILS": "red", "done": "green", "refused": "red", "failed": "red", "fresh": "green",
}  # fmt: skip
GAP = 2  # spaces between columns
LEAST = 24  # the narrowest column, in characters, that long text wraps to


@dataclass(frozen=True)
class Column:
    """One column as text; ``wraps`` says whether its cells may be broken at spaces."""

    name: str
    cells: Sequence[str]
    numeric: bool
    wraps: bool

    def least(self, tight: bool) -> int:
        """The smallest width in characters; ``tight`` breaks the heading at spaces."""
        heading = max(map(len, self.name.split() if tight else [self.name]), default=0)
        cell = max(map(len, self.cells), default=0)
        words = max((len(word) for text in self.cells for word in text.split()), default=0)
        return max(heading, min(cell, max(LEAST, words)) if self.wraps else cell)


def fitted(names: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> RenderableType:
    """The table of ``rows`` under ``names`` as rich draws it in ``width`` characters."""
    columns = [_column(name, [row[i] for row in rows]) for i, name in enumerate(names)]
    shown = [column for column in columns if not rows or any(column.cells)]
    for tight in (False, True):
        if _needed(shown, tight) <= width:
            return _drawn(shown, range(len(rows)), tight)
    beside = _beside(shown, width)
    below = [column for column in shown if column not in beside]
    parts: list[RenderableType] = [_drawn(beside, ())]
    for i in range(len(rows)):
        parts.append(_drawn(beside, (i,), headings=False))
        parts += [Padding(_labelled(c.name, c.cells[i]), (0, 0, 0, 4)) for c in below if c.cells[i] not in ("", "0")]
    return Group(*parts)


def _column(name: str, cells: Sequence[Any]) -> Column:
    texts = [text_of(cell) for cell in cells]
    numeric = all(isinstance(cell, int | float) for cell in cells)
    return Column(name, texts, numeric, max(map(len, texts), default=0) > LEAST and any(" " in text for text in texts))


def _needed(columns: Sequence[Column], tight: bool) -> int:
    return sum(column.least(tight) + GAP for column in columns) - GAP


def _beside(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns, all without long texts, that fit side by side; the first always does."""
    kept = [column for i, column in enumerate(columns) if i == 0 or not column.wraps]
    while len(kept) > 1 and _needed(kept, tight=True) > width:
        kept.pop()
    return kept


def _drawn(columns: Sequence[Column], rows: Sequence[int], tight: bool = True, headings: bool = True) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold", show_header=headings)
    for c in columns:
        least = c.least(tight)
        heading = "\n".join(textwrap.wrap(c.name, least))
        side: Literal["right", "left"] = "right" if c.numeric else "left"
        table.add_column(heading, justify=side, min_width=least, no_wrap=not c.wraps, overflow="fold")
    for i in rows:
        table.add_row(*(_styled(c.cells[i]) for c in columns))
    return table


def _labelled(name: str, cell: str) -> Text:
    return Text.assemble((f"{name}: ", "bold"), cell)


def _styled(text: str) -> str:
    style = STYLES.get(text)
    return f"[{style}]{escape(text)}[/]" if style else escape(text)
