"""Matches a column's fields against a pattern, tolerating a few broken lines."""

from __future__ import annotations

import re

TIME = r"\d{4}[-./]\d\d[-./]\d\d[ T]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?"


def mostly(pattern: str, fields: list[str]) -> bool:
    """Whether nine in ten of the fields match ``pattern`` as a whole."""
    return bool(fields) and sum(bool(re.fullmatch(pattern, f)) for f in fields) >= 0.9 * len(fields)


def numbers(sample_column: list[str]) -> list[float]:
    """The fields as numbers, NaN where they do not parse."""
    return [_number(field) for field in sample_column]


def _number(field: str) -> float:
    try:
        return float(field.replace(",", "."))
    except ValueError:
        return float("nan")
