"""Kernels compared with libraries that compute the same quantities: speed, and what else a value depends on.

    python -m benchmarks.libraries

One month of synthetic bars. Each library is called through its usual interface, on the whole series where it accepts
one. Library and kernel take turns in one process; the ratio is the library's processor time over the kernel's. The
probes measure how far a value changes, in units of max(abs(value), the column's standard deviation):

* beginning: the series starts later, exactly at the feature's declared lookback;
* later data: the bars after the row are cut off;
* one NaN: a single value in the middle is missing. The number of rows after its window that become missing or change is
  reported, or the error.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]
Compute = Callable[[Series], Series]

FIT, HOUR, WINDOW = 7_200, 60, 60  # bars of a weekly fit; minutes; bars of a rolling window
ROUNDS, PROBED = 3, 5  # turns; rows at which the probes look


@dataclass(frozen=True)
class Case:
    """One quantity, computed by a library and by a kernel from a series (..., n) whose last axis is time.

    ``need``: bars of history that a value needs; None for a model fitted on the first bars of the series.
    ``equal``: rows where the two should agree.
    """

    name: str
    library: str
    theirs: Compute
    ours: Compute
    series: Series
    need: int | None
    equal: Literal["everywhere", "at the last row", "nowhere"] = "everywhere"


# -- comparisons -----------------------------------------------------------------------------------------------------


def cases() -> list[Case]:
    """All comparisons; the libraries are imported here."""
    close, three, moves = synthetic()
    return [*_indicators(close), *_windows(close), *_transforms(close), *_models(three, moves)]


def synthetic() -> tuple[Series, Series, Series]:
    """A month of closes as an index near 100, log prices of three pairs (3, n), and returns in bp."""
    import datetime as dt

    from fxloom.bars.clock import on_clock
    from fxloom.bars.synthetic import synthetic_market

    market = synthetic_market(dt.date(2024, 3, 1), dt.date(2024, 4, 1), ["eurusd", "gbpusd", "eurgbp"])
    closes = [on_clock(bars).close for bars in market.values()]
    length = min(map(len, closes))
    index = 100.0 * closes[0] / closes[0][0]
    return index, np.log(np.array([close[:length] for close in closes])), 1e4 * np.diff(np.log(closes[0]))


def _indicators(close: Series) -> list[Case]:
    import talib

    from fxloom.families.technical import STANDSTILL
    from fxloom.features.catalogue import features
    from fxloom.kernels.moments import rolling_std
    from fxloom.kernels.oscillators import rsi
    from fxloom.kernels.recursion import ema

    lookback = features()["tech_rsi_14_rate"].column.lookback
    return [
        Case("EMA, 20", "TA-Lib EMA", lambda y: talib.EMA(y, 20), lambda y: ema(y, 20, 0), close, lookback),
        Case("RSI, 14", "TA-Lib RSI", lambda y: talib.RSI(y, 14), lambda y: rsi(y, 14, STANDSTILL), close, lookback),
        Case(
            "deviation, 60", "TA-Lib STDDEV", lambda y: talib.STDDEV(y, WINDOW) * (WINDOW / (WINDOW - 1)) ** 0.5,
            lambda y: rolling_std(y, WINDOW), close, WINDOW - 1,
        ),
    ]  # fmt: skip


def _windows(close: Series) -> list[Case]:
    import pandas as pd
    from statsmodels.regression.rolling import RollingOLS

    from fxloom.kernels.moments import rolling_moments
    from fxloom.kernels.regression import rolling_parabola

    def rolling_ols(y: Series) -> Series:
        time = np.arange(len(y)) / WINDOW
        powers = np.column_stack([np.ones(len(y)), time, time**2])
        return RollingOLS(y, powers, WINDOW).fit(params_only=True).params[:, 2] / WINDOW**2

    return [
        Case(
            "skewness, 60", "pandas rolling", lambda y: pd.Series(y).rolling(WINDOW).skew().to_numpy(),
            lambda y: rolling_moments(y, WINDOW)[2], close, WINDOW - 1,
        ),
        Case(
            "curvature of a parabola, 60", "statsmodels RollingOLS", rolling_ols,
            lambda y: rolling_parabola(y, WINDOW).a2, close, WINDOW - 1,
        ),
    ]  # fmt: skip


def _transforms(close: Series) -> list[Case]:
    import pywt
    from scipy.signal import detrend, spectrogram

    from fxloom.kernels.spectra import LOW, sliding_spectra
    from fxloom.kernels.wavelets import sliding_wavelets

    def by_window(y: Series) -> Series:
        rows = detrend(np.lib.stride_tricks.sliding_window_view(y, 64), axis=-1)
        return _at_end((pywt.wavedec(rows, "db4", "periodization", 3)[-1] ** 2).sum(axis=-1), len(y))

    def stationary(y: Series) -> Series:
        even = y[len(y) % 8 :]
        (_, detail), *_ = pywt.swt(even, "db4", level=3, trim_approx=False)[::-1]
        return _at_end(detail, len(y))

    def low_power(y: Series) -> Series:
        *_, transform = spectrogram(
            y, window="hann", nperseg=128, noverlap=127, detrend="linear", scaling="spectrum", mode="complex"
        )
        power = np.abs(transform[1:]) ** 2
        return _at_end(power[:4].sum(axis=0) / power.sum(axis=0), len(y))

    return [
        Case("share of low frequencies, 128", "scipy.signal spectrogram", low_power,
             lambda y: sliding_spectra(y, np.zeros(len(y)), 0)[0][LOW], close[-12_000:], 127),
        Case("wavelet energy, 64", "PyWavelets wavedec, each window", by_window,
             lambda y: sliding_wavelets(y, np.zeros(len(y)), 0)[16], close[-12_000:], 63),
        Case("wavelet detail", "PyWavelets swt, whole series", stationary,
             lambda y: sliding_wavelets(y, np.zeros(len(y)), 0)[16], close[-12_000:], 63,
             equal="nowhere"),
    ]  # fmt: skip


def _models(three: Series, moves: Series) -> list[Case]:
    from arch import arch_model
    from statsmodels.tsa.vector_ar.vecm import coint_johansen

    from benchmarks.rivals.models import _model
    from fxloom.families.hmm_regime import fit_regimes
    from fxloom.kernels.garch import fit_garch, garch_variances
    from fxloom.kernels.hidden_markov import filter_hmm
    from fxloom.kernels.johansen import johansen_fits

    def johansen(y: Series) -> Series:
        ends = _hours(y)
        found = [coint_johansen(y[:, end - 1440 : end].T, 0, 1).eig[0] for end in ends]
        return _placed(np.array(found), ends, y.shape[1])

    def johansen_kernel(y: Series) -> Series:
        ends = _hours(y)
        return _placed(johansen_fits(np.ascontiguousarray(y), ends, 1440)[:, 0], ends, y.shape[1])

    def garch(r: Series) -> Series:
        fit = arch_model(r, mean="Constant", rescale=False).fit(disp="off", last_obs=FIT)
        return _at_end(fit.forecast(start=FIT, horizon=1, reindex=False).variance.to_numpy()[:, 0], len(r))

    def garch_kernel(r: Series) -> Series:
        x, _, before = fit_garch(r[:FIT].copy())
        return _at_end(garch_variances(r, x, before)[FIT + 1 :], len(r))

    def hmm(r: Series) -> Series:
        y = _observed(r)
        model = _model(y[:FIT])
        return np.asarray(model.predict_proba(y)[:, int(model.means_[:, 1].argmin())])

    def hmm_kernel(r: Series) -> Series:
        y = np.ascontiguousarray(_observed(r).T)
        fitted = fit_regimes(y[0, :FIT].copy(), y[1, :FIT].copy()).model
        return np.asarray(filter_hmm(y[0], y[1], fitted)[0][0])

    some = moves[: FIT + 1_500]
    return [
        Case("Johansen's first eigenvalue, hourly", "statsmodels coint_johansen", johansen, johansen_kernel,
             three[:, :6_000], 1440 + HOUR),
        Case("GARCH(1,1) variance forecast", "arch fit and forecast", garch, garch_kernel, some, None),
        Case("calm regime's probability", "hmmlearn predict_proba", hmm, hmm_kernel, some, None, "at the last row"),
    ]  # fmt: skip


def _observed(r: Series) -> Series:
    """(n, 2): the return in bp, and the log of its 15-bar standard deviation (a placeholder in the first rows)."""
    squares = np.convolve(r**2, np.full(15, 1 / 15))[: len(r)]
    return np.column_stack([r, np.log(0.1 + np.sqrt(squares))])


def _hours(y: Series) -> npt.NDArray[np.int64]:
    """Window ends an hour apart, counted back from the last row so that a later start keeps the same ones."""
    return np.arange(y.shape[1], 1440 - 1, -HOUR, dtype=np.int64)[::-1].copy()


def _placed(values: Series, ends: npt.NDArray[np.int64], length: int) -> Series:
    out = np.full(length, np.nan)
    out[ends - 1] = values
    return out


def _at_end(values: Series, length: int) -> Series:
    return np.concatenate([np.full(length - len(values), np.nan), values])


# -- probes ----------------------------------------------------------------------------------------------------------


def change_with_beginning(compute: Compute, case: Case) -> str:
    """How far the last rows change if the series starts ``need`` bars before the first of them."""
    if case.need is None:
        return ""
    full = compute(case.series)
    late = compute(np.ascontiguousarray(case.series[..., -(case.need + PROBED) :]))
    return _distance(full[-PROBED:], late[-PROBED:], full)


def change_with_later_data(compute: Compute, case: Case) -> str:
    """How far a row changes if the series ends with it."""
    full, length = compute(case.series), case.series.shape[-1]
    ends = length - HOUR * np.arange(1, PROBED + 1)
    cut = np.array([compute(np.ascontiguousarray(case.series[..., :end]))[-1] for end in ends])
    return _distance(full[ends - 1], cut, full)


def change_with_nan(compute: Compute, case: Case) -> str:
    """How many rows after a missing value's window become missing or change; the error, if one is raised."""
    window = 15 if case.need is None else case.need
    at = FIT + 200 if case.need is None else case.series.shape[-1] - window - 1_000
    broken = case.series.copy()
    broken[..., at] = np.nan
    later = slice(at + window + 1, None)
    intact = compute(case.series)[later]
    try:
        found = compute(broken)[later]
    except (ValueError, IndexError, np.linalg.LinAlgError) as error:
        return type(error).__name__
    there = np.isfinite(intact)
    missing = there & ~np.isfinite(found)
    wrong = there & ~missing & (np.abs(found - intact) > 1e-6 * np.maximum(np.abs(intact), np.nanstd(intact)))
    shares = {"missing": missing.sum() / there.sum(), "changed": wrong.sum() / there.sum()}
    return ", ".join(f"{share:.0%} {what}" for what, share in shares.items() if share) or "none"


def _distance(a: Series, b: Series, column: Series) -> str:
    known = np.isfinite(a) & np.isfinite(b)
    if not known.any():
        return "no value"
    largest = np.max(np.abs(a - b)[known] / np.maximum(np.abs(a[known]), np.nanstd(column)))
    return "exact" if largest == 0 else f"{largest:.0e}"


def agreement(case: Case) -> str:
    """The largest difference between library and kernel."""
    if case.equal == "nowhere":
        return "another quantity"
    ours, theirs = case.ours(case.series), case.theirs(case.series)
    rows = slice(-1, None) if case.equal == "at the last row" else slice(None)
    return _distance(ours[rows], theirs[rows], ours) + (" (last row)" if case.equal == "at the last row" else "")


def row(case: Case) -> list[str]:
    """The table cells of one case."""
    from benchmarks.markdown import milliseconds
    from benchmarks.timing import best_in_turns

    case.ours(case.series)  # compile and load first
    seconds, _ = best_in_turns(
        {"ours": lambda: case.ours(case.series), "theirs": lambda: case.theirs(case.series)}, ROUNDS
    )
    cells = [case.name, case.library, milliseconds(seconds["ours"]), f"{seconds['theirs'] / seconds['ours']:,.1f}"]
    cells.append(agreement(case))
    for probe in (change_with_beginning, change_with_later_data, change_with_nan):
        cells += [probe(case.theirs, case), probe(case.ours, case)]
    return cells


def main() -> None:
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))
    from benchmarks.markdown import table

    header = ["quantity", "library", "kernel, ms", "library / kernel", "difference"]
    header += [f"{probe}: {who}" for probe in ("beginning", "later data", "one NaN") for who in ("library", "kernel")]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        print(table(header, [row(case) for case in cases()], 2))


if __name__ == "__main__":
    main()
