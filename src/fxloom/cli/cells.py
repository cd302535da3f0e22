"""A cell of a table as text."""

from __future__ import annotations

from typing import Any


def text_of(cell: Any) -> str:
    """A cell as text: whole numbers with separators, others in four digits."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return str(cell)
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.4g}"
