"""Runs and distinct values, against the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.bars.runs import distinct, first_of_each, run_starts

CASES = [[], [5], [5, 5], [1, 2, 2, 9], [2, 1, 2], [3, 3, 1, 1, 3]]


@pytest.mark.parametrize("values", CASES, ids=str)
def test_distinct_values_and_where_they_first_occur(values: list[int]) -> None:
    array = np.array(values, np.int64)
    assert distinct(array).tolist() == sorted(set(values))
    assert first_of_each(array).tolist() == [values.index(v) for v in sorted(set(values))]
    assert run_starts(array).tolist() == [i for i, v in enumerate(values) if i == 0 or values[i - 1] != v]
