"""Natural logarithms of arrays against numpy's."""

from __future__ import annotations

import numpy as np

from fxloom.kernels.logs import logarithms


def test_logarithms_match_numpy() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([10.0 ** rng.uniform(-300, 300, 5_000), 1.0 + 1e-9 * rng.standard_normal(5_000), [1.0, 2.0]])
    out = np.empty(len(x))
    logarithms(x, np.empty(len(x), np.int64), out)
    np.testing.assert_allclose(out, np.log(x), rtol=4e-16)
    zero = np.empty(1)
    logarithms(np.zeros(1), np.empty(1, np.int64), zero)
    assert np.isfinite(zero).all()
