"""Spectra, wavelets and singular spectra."""

from __future__ import annotations

import numpy as np
import pywt
import scipy.signal

from tests.reference.market import NAN, Array, DomainView, Flags, corr, flat, known, std, window


def detrended(y: Array) -> Array | None:
    """``y`` minus its least-squares line; None if only rounding is left (a constant, a line)."""
    if not known(y) or flat(y):
        return None
    d = scipy.signal.detrend(y - y[-1], type="linear")
    return None if np.sqrt(np.mean(d * d)) <= 1e-13 * np.abs(y).max() else d


def powers(s: DomainView, t: int) -> Array | None:
    if (s, t) not in (seen := s.memoised("powers", dict)):
        d = detrended(window(s.series(15), t, 128))
        hann = scipy.signal.get_window("hann", 128, fftbins=True)
        seen[s, t] = None if d is None else (np.abs(np.fft.rfft(d * hann)) ** 2)[1:]
    return seen[s, t]


def strongest(p: Array, allowed: Flags) -> int:
    """The smallest k among those tied for the strongest (within 1e-9)."""
    k = np.arange(1, 65)
    return int(k[allowed & (p >= p[allowed].max() * (1 - 1e-9))][0])


def spectral_features(s: DomainView, t: int) -> dict[str, float]:
    names = (
        "dominant_freq", "dominant_power", "secondary_freq", "harmonic_ratio", "low_power", "high_power", "entropy",
        "edge_freq", "power_trend", "freq_stability", "flatness", "cyclic_strength",
    )  # fmt: skip
    p = powers(s, t)
    if p is None:
        return {f"fft_{name}": NAN for name in names}
    k = np.arange(1, 65)
    f = k / 128
    share = p / p.sum()
    top = strongest(p, k > 0)
    second = strongest(p, np.abs(k - top) >= 3)
    harmonics = [j for j in (2 * top - 1, 2 * top, 2 * top + 1) if abs(j - top) >= 2 and j <= 64]
    before = powers(s, t - 64)
    hour = [powers(s, i) for i in range(t - 59, t + 1)]
    tops = [strongest(q, k > 0) / 128 for q in hour if q is not None]
    found = [
        top / 128, share[top - 1], second / 128,
        max((p[j - 1] for j in harmonics), default=0.0) / p[top - 1],
        share[f < 1 / 30].sum(), share[f > 1 / 5].sum(),
        -(share[share > 0] * np.log(share[share > 0])).sum() / np.log(64),
        f[np.searchsorted(np.cumsum(share), 0.95 * (1 - 1e-9))],
        NAN if before is None else np.log(p.sum() / before.sum()),
        std(np.array(tops)) if len(tops) == len(hour) else NAN,
        np.exp(np.log(p).mean()) / p.mean(), np.log(p.max() / np.median(p)),
    ]  # fmt: skip
    return {f"fft_{name}": float(value) for name, value in zip(names, found, strict=True)}


def rebuilt(coefficients: list[Array], keep: int) -> Array:
    """Reconstruction of one level: 0 is a3, 1 is d3."""
    kept = [c if i == keep else np.zeros_like(c) for i, c in enumerate(coefficients)]
    return pywt.waverec(kept, "db4", mode="periodization")


def wavelet_features(s: DomainView, t: int) -> dict[str, float]:
    d = detrended(window(s.series(15), t, 64))
    o = detrended(window(s.other().series(15), t, 64))
    names = ("d1_share", "d2_share", "d3_share", "a3_share", "d1_d3_ratio", "trend", "entropy", "singularity")
    out = {f"wav_{name}": NAN for name in (*names, "dominant_scale", "coherence")}
    if d is None:
        return out
    coefficients = pywt.wavedec(d, "db4", mode="periodization", level=3)
    a3, d3, d2, d1 = coefficients
    e = np.array([(c * c).sum() for c in (d1, d2, d3, a3)])
    share, detail = e / e.sum(), e[:3] / e[:3].sum()
    smooth = rebuilt(coefficients, 0)
    largest = [np.log2(np.abs(c).max()) for c in (d1, d2, d3)]
    entropy = -(detail * np.log(detail)).sum() / np.log(3)
    found = [
        *share,
        np.log(e[0] / e[2]),
        (smooth[-1] - smooth[-16]) / np.std(d, ddof=1),
        entropy,
        np.polyfit([1, 2, 3], largest, 1)[0],
    ]
    out |= {f"wav_{name}": float(value) for name, value in zip(names, found, strict=True)}
    out["wav_dominant_scale"] = 1.0 + int(np.argmax(e[:3] >= e[:3].max() * (1 - 1e-9)))
    if o is not None:
        there = pywt.wavedec(o, "db4", mode="periodization", level=3)
        level = 1 if s.bqx else 0
        out["wav_coherence"] = corr(rebuilt(coefficients, level), rebuilt(there, level))
    return out


def diagonal_means(x: Array) -> Array:
    """A series from its trajectory matrix."""
    rows, columns = x.shape
    flipped = x[::-1]
    return np.array([np.diagonal(flipped, k).mean() for k in range(-(rows - 1), columns)])


def ssa_features(s: DomainView, t: int) -> dict[str, float]:
    y = window(s.series(15), t, 60)
    names = ("trend", "osc", "noise", "trend_share", "osc_share", "effective_rank", "pairing", "forecast")
    if not known(y) or flat(y):
        return {f"ssa_{name}": NAN for name in names}
    d = y - y[-1]
    zs = (d - d.mean()) / np.std(d, ddof=1)
    x = np.lib.stride_tricks.sliding_window_view(zs, 46).copy()  # 15 x 46
    values, vectors = np.linalg.eigh(x @ x.T / 46)
    values, u = values[::-1], vectors[:, ::-1]
    parts = [diagonal_means(np.outer(u[:, i], u[:, i]) @ x) for i in range(3)]
    trend, osc = parts[0], parts[1] + parts[2]
    signal, nu = trend + osc, u[-1, :3]
    recurrence = (u[:-1, :3] * nu).sum(axis=1) / (1.0 - (nu * nu).sum())
    level = (nu * nu).sum() > 1.0 - 1e-12  # the recurrence would divide by 0
    near = 1e-9 * values[0]
    first, third = values[0] - values[1] < near, values[2] - values[3] < near
    found = [
        NAN if first else trend[-1],
        NAN if first or third else osc[-1],
        NAN if third else zs[-1] - trend[-1] - osc[-1],
        values[0] / values.sum(), values[1:3].sum() / values.sum(), values.sum() ** 2 / (values**2).sum(),
        values[2] / values[1],
        NAN if third or level else np.clip(recurrence @ signal[-14:] - zs[-1], -10, 10),
    ]  # fmt: skip
    return {f"ssa_{name}": float(value) for name, value in zip(names, found, strict=True)}
