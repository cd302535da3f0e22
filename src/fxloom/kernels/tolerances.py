"""What counts as constant, as unchanged and as equal: one number per meaning, for every kernel and family.

Source: docs/definitions/conventions.md, "Zero, flat and equal".
"""

from __future__ import annotations

FLAT_RANGE = 1e-13  # values are constant if max - min is at most this share of the largest absolute value
ZERO_CHANGE = 1e-12  # a relative change below this is the rounding of a price that stands still: exactly 0
EQUAL = 1e-9  # values that differ by at most this share are equal where values are ranked or compared
