"""Arrays of the core as Arrow arrays: what pyarrow itself makes of them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from fxloom.stores.frames import arrow_array

NAN = np.nan


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.5, NAN, -2.0], np.float32), np.array([NAN, NAN]), np.zeros(0, np.float32), np.arange(5),
        np.linspace(0, 1, 40)[::3], np.where(np.arange(1_000) % 7 == 3, NAN, np.arange(1_000.0)),
    ],
)  # fmt: skip
def test_numbers_become_what_arrow_makes_of_them(values: npt.NDArray[np.float64]) -> None:
    found = arrow_array(values)
    found.validate(full=True)
    expected = pa.array(values, from_pandas=True)
    assert found.equals(expected)
    assert found.null_count == expected.null_count


def test_writing_does_not_import_pandas() -> None:
    program = "import sys, numpy as np; from fxloom.stores.frames import arrow_array; arrow_array(np.ones(3)); " + (
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
