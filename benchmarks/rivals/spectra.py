"""Spectra, wavelets and singular spectra, row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pywt
from scipy.signal import detrend
from scipy.signal.windows import hann

from benchmarks.rivals.script import Script, placed, windows

HANN = hann(128, sym=False)
F = np.arange(1, 65) / 128


def spectral_features(s: Script) -> dict[str, np.ndarray]:
    y = s.series(15)
    rows = [_spectrum(row) for row in windows(y.dropna(), 128)]
    out = {f"fft_{name}": placed(np.array([row[name] for row in rows]), len(y)) for name in rows[0]}
    total = pd.Series(out.pop("fft_total"))
    out["fft_power_trend"] = np.log(total / total.shift(64))
    out["fft_freq_stability"] = pd.Series(out["fft_dominant_freq"]).rolling(60).std()
    return out


def _spectrum(row: np.ndarray) -> dict[str, float]:
    p = np.abs(np.fft.rfft(HANN * detrend(row)))[1:] ** 2
    total, k = p.sum(), int(p.argmax()) + 1
    share, bins = p / total, np.arange(1, 65)
    second = np.where(np.abs(bins - k) >= 3, p, -1.0).argmax() + 1
    harmonic = [b for b in (2 * k - 1, 2 * k, 2 * k + 1) if abs(b - k) >= 2 and b <= 64]
    return {
        "dominant_freq": k / 128, "dominant_power": share[k - 1], "secondary_freq": second / 128,
        "harmonic_ratio": max((p[b - 1] for b in harmonic), default=0.0) / p[k - 1],
        "low_power": share[F < 1 / 30].sum(), "high_power": share[F > 1 / 5].sum(),
        "entropy": -(share * np.log(share)).sum() / np.log(64),
        "edge_freq": F[np.searchsorted(share.cumsum(), 0.95)], "total": total,
        "flatness": np.exp(np.log(p).mean()) / p.mean(), "cyclic_strength": np.log(p.max() / np.median(p)),
    }  # fmt: skip


def wavelet_features(s: Script) -> dict[str, np.ndarray]:
    pair = [s.other(domain).series(15) for domain in (("bqx", "rate") if s.bqx else ("rate", "bqx"))]
    begin = max(y.first_valid_index() for y in pair)
    own, other = (windows(y.iloc[begin:], 64) for y in pair)
    rows = [_decomposition(a, b, s.bqx) for a, b in zip(own, other, strict=True)]
    return {f"wav_{name}": placed(np.array([row[name] for row in rows]), len(pair[0])) for name in rows[0]}


def _decomposition(row: np.ndarray, other: np.ndarray, bqx: bool) -> dict[str, float]:
    flat = detrend(row)
    parts, others = (pywt.wavedec(y, "db4", "periodization", 3) for y in (flat, detrend(other)))
    energy = np.array([(part**2).sum() for part in parts])  # a3, d3, d2, d1
    details, trend = energy[:0:-1], _rebuilt(parts, 0)
    share = details / details.sum()
    peaks = np.log2([np.abs(part).max() for part in parts[:0:-1]])
    which = 1 if bqx else 0
    return {
        "d1_share": energy[3] / energy.sum(), "d2_share": energy[2] / energy.sum(),
        "d3_share": energy[1] / energy.sum(), "a3_share": energy[0] / energy.sum(),
        "d1_d3_ratio": np.log(energy[3] / energy[1]), "trend": (trend[-1] - trend[-16]) / flat.std(ddof=1),
        "entropy": -(share * np.log(share)).sum() / np.log(3), "singularity": (peaks[2] - peaks[0]) / 2,
        "dominant_scale": details.argmax() + 1.0,
        "coherence": np.corrcoef(_rebuilt(parts, which), _rebuilt(others, which))[0, 1],
    }  # fmt: skip


def _rebuilt(parts: list[np.ndarray], which: int) -> np.ndarray:
    kept = [part if i == which else np.zeros_like(part) for i, part in enumerate(parts)]
    return pywt.waverec(kept, "db4", "periodization")


def ssa_features(s: Script) -> dict[str, np.ndarray]:
    y = s.series(15)
    rows = [_singular(row) for row in windows(y.dropna(), 60)]
    return {f"ssa_{name}": placed(np.array([row[name] for row in rows]), len(y)) for name in rows[0]}


def _singular(row: np.ndarray) -> dict[str, float]:
    z = (row - row.mean()) / row.std(ddof=1)
    x = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(z, 15).T)
    values, vectors = np.linalg.eigh(x @ x.T / 46)
    values, vectors = values[::-1], vectors[:, ::-1]
    last = [vectors[-1, i] * (vectors[:, i] @ x[:, -1]) for i in range(3)]  # nothing to average in the corner
    trend, osc = last[0], last[1] + last[2]
    nu = vectors[-1, :3]
    recurrence = (vectors[:-1, :3] * nu).sum(axis=1) / (1 - (nu**2).sum())
    rebuilt = _last_averages(vectors[:, :3] @ (vectors[:, :3].T @ x[:, -28:]), 14)
    return {
        "trend": trend, "osc": osc, "noise": z[-1] - trend - osc, "trend_share": values[0] / values.sum(),
        "osc_share": (values[1] + values[2]) / values.sum(),
        "effective_rank": values.sum() ** 2 / (values**2).sum(), "pairing": values[2] / values[1],
        "forecast": min(max(recurrence @ rebuilt - z[-1], -10.0), 10.0),
    }  # fmt: skip


def _last_averages(matrix: np.ndarray, count: int) -> np.ndarray:
    """Means of the last ``count`` antidiagonals."""
    flipped, width = matrix[::-1], matrix.shape[1]
    return np.array([flipped.diagonal(k).mean() for k in range(width - count, width)])
