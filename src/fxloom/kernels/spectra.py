"""Power spectra of sliding windows of 128 values: linear trend removed, Hann window, 64 frequencies.

Neighbouring windows share most of their Fourier transform, and exactly: cut by decimation in time, the 64-point
transform of every second value from bar s on is one half of the window that begins at s and the other half of the
window that begins at s - 1. So each level of the radix-2 tree is computed once for each bar, with 127 butterflies per
window instead of 448 (Farhang-Boroujeny and Gazor, "Generalized sliding FFT", IEEE Trans. Circuits Syst. II, 1994).
Nothing is carried from row to row: every number is a fixed tree of operations on the values of its own window.

Rows of a block lie in the inner loops, so that they fill vector lanes.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.logs import logarithms
from fxloom.kernels.tolerances import EQUAL

WINDOW = 128
LEVELS = 7  # 128 = 2^7
BINS = WINDOW // 2
LAG = BINS  # bars between the two totals of the power trend
BLOCK = 128  # rows per block: long enough for vector lanes, short enough for the second-level cache
HALO = BLOCK + BINS + 8  # starts of the first level for a block; 8 more, so that rows do not compete for cache sets
LOW_BINS = 4  # k / 128 < 1/30
HIGH_BIN = 26  # k / 128 > 1/5
EDGE = 0.95
ANGLES = 2.0 * np.pi * np.arange(BINS + 1) / WINDOW
COSINES, SINES = np.cos(ANGLES), -np.sin(ANGLES)  # e^(-i angle)
RAMP = np.concatenate([[0.0], BINS / np.tan(np.pi * np.arange(1, BINS + 1) / WINDOW)])  # imaginary part of its DFT
FEATURES = 10
DOMINANT, SHARE, SECONDARY, HARMONIC, LOW, HIGH, ENTROPY, CORNER, FLATNESS, STRENGTH = range(FEATURES)


def sorting_network(size: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Batcher's odd-even merge sort (1968) of ``size`` = 2^p items as pairs to put in order, in sequence."""
    pairs = []
    span = 1
    while span < size:
        step = span
        while step >= 1:
            for start in range(step % span, size - step, 2 * step):
                for i in range(min(step, size - start - step)):
                    if (start + i) // (2 * span) == (start + i + step) // (2 * span):
                        pairs.append((start + i, start + i + step))
            step //= 2
        span *= 2
    return np.array(pairs, np.int64)


NETWORK = sorting_network(BINS // 2)


@jit
def alternate_sums(values: Floats, stride: int, count: int, out: Floats) -> None:
    """out[s] = y[s] - y[s + stride] + y[s + 2 stride] - ... over 128 values' worth, s = 0 ... count - 1.

    It is each level's highest frequency. Summed as differences: the level of ``y`` (near 100) never enters.
    """
    span = 2 * stride
    later = values[stride:]
    for s in range(count + WINDOW - span):
        out[s] = values[s] - later[s]
    while span < WINDOW:
        other = out[span:]
        for s in range(count + WINDOW - 2 * span):
            out[s] += other[s]
        span *= 2


@jit
def merge(size: int, count: int, re: Floats, im: Floats, re_out: Floats, im_out: Floats) -> None:
    """One level of the tree: transforms of ``size`` values from those of size / 2, for ``count`` starts.

    Bins 1 ... size / 2 - 1 are written; the highest is left to ``alternate_sums``, and bin 0 is never needed.
    """
    half, stride = size // 2, WINDOW // size
    for k in range(1, half // 2):
        c, d = COSINES[k * stride], SINES[k * stride]
        for s in range(count):
            odd_re, odd_im = re[k, s + stride], im[k, s + stride]
            turned_re, turned_im = c * odd_re - d * odd_im, c * odd_im + d * odd_re
            re_out[k, s] = re[k, s] + turned_re
            im_out[k, s] = im[k, s] + turned_im
            re_out[half - k, s] = re[k, s] - turned_re
            im_out[half - k, s] = turned_im - im[k, s]
    for s in range(count):
        re_out[half // 2, s] = re[half // 2, s]
        im_out[half // 2, s] = -re[half // 2, s + stride]


@jit
def transform(values: Floats, width: int, spaces: Floats, sums: Floats) -> int:
    """The DFT of the windows that begin at values[0 ... width - 1]; returns which of the two ``spaces`` holds it."""
    here = 0
    for level in range(1, LEVELS + 1):
        size = 1 << level
        stride = WINDOW // size
        count = width + stride - 1
        there = 1 - here
        if size > 2:
            merge(size, count, spaces[here, 0], spaces[here, 1], spaces[there, 0], spaces[there, 1])
        alternate_sums(values, stride, count, sums)
        for s in range(count):
            spaces[there, 0, size // 2, s] = sums[s]
            spaces[there, 1, size // 2, s] = 0.0
        here = there
    return here


@jit
def slopes(values: Floats, width: int, out: Floats) -> None:
    """OLS slope per bar of the windows that begin at values[0 ... width - 1]."""
    for s in range(width):
        out[s] = 0.0
    for j in range(BINS):
        weight = (BINS - 0.5 - j) / (WINDOW * (WINDOW * WINDOW - 1.0) / 12.0)
        late = values[WINDOW - 1 - j :]
        for s in range(width):
            out[s] += weight * (late[s] - values[s + j])


@jit
def remove_trend(re: Floats, im: Floats, slope: Floats, width: int) -> None:
    """Subtract the transform of the line, and set bin 0 to 0."""
    for s in range(width):
        re[0, s] = im[0, s] = 0.0
    for k in range(1, BINS + 1):
        ramp = RAMP[k]
        for s in range(width):
            re[k, s] += BINS * slope[s]
            im[k, s] -= ramp * slope[s]


@jit
def hann_powers(re: Floats, im: Floats, width: int, power: Floats) -> None:
    """power[k - 1] of k = 1 ... 64 after the periodic Hann window, which is (-1, 2, -1) / 4 on the frequencies."""
    for k in range(1, BINS):
        for s in range(width):
            a = 0.5 * re[k, s] - 0.25 * (re[k - 1, s] + re[k + 1, s])
            b = 0.5 * im[k, s] - 0.25 * (im[k - 1, s] + im[k + 1, s])
            power[k - 1, s] = a * a + b * b
    for s in range(width):
        a = 0.5 * (re[BINS, s] - re[BINS - 1, s])
        power[BINS - 1, s] = a * a


@jit
def shares(power: Floats, width: int, total: Floats, out: Floats) -> None:
    """``total``; shares of the low and the high frequencies; the frequency below which 95 % lies."""
    for s in range(width):
        total[s] = out[LOW, s] = out[HIGH, s] = 0.0
    for j in range(BINS):
        for s in range(width):
            total[s] += power[j, s]
        if j < LOW_BINS:
            for s in range(width):
                out[LOW, s] += power[j, s]
        if j + 1 >= HIGH_BIN:
            for s in range(width):
                out[HIGH, s] += power[j, s]
    below = np.zeros(width)
    for s in range(width):
        out[CORNER, s] = 1.0 / WINDOW
    for j in range(BINS - 1):
        for s in range(width):
            below[s] += power[j, s]
            out[CORNER, s] += 1.0 / WINDOW if below[s] < EDGE * (1.0 - EQUAL) * total[s] else 0.0
    for s in range(width):
        out[LOW, s] = out[LOW, s] / total[s]
        out[HIGH, s] = out[HIGH, s] / total[s]


@jit
def peaks(power: Floats, width: int, total: Floats, largest: Floats, out: Floats) -> None:
    """The strongest bin, its share and ``largest`` power; the strongest at least 3 bins away; the harmonic."""
    second = np.zeros(width)
    for s in range(width):
        largest[s], out[DOMINANT, s], out[SECONDARY, s] = 0.0, 1.0, 1.0
    for j in range(BINS):
        for s in range(width):
            largest[s] = power[j, s] if power[j, s] > largest[s] else largest[s]
    for j in range(BINS - 1, -1, -1):  # downwards: a tie goes to the smaller frequency
        for s in range(width):
            out[DOMINANT, s] = j + 1.0 if power[j, s] >= largest[s] * (1.0 - EQUAL) else out[DOMINANT, s]
    for j in range(BINS):
        for s in range(width):
            apart = abs(j + 1.0 - out[DOMINANT, s]) >= 3.0
            second[s] = power[j, s] if apart and power[j, s] > second[s] else second[s]
    for j in range(BINS - 1, -1, -1):
        for s in range(width):
            apart = abs(j + 1.0 - out[DOMINANT, s]) >= 3.0
            out[SECONDARY, s] = j + 1.0 if apart and power[j, s] >= second[s] * (1.0 - EQUAL) else out[SECONDARY, s]
    for s in range(width):
        k = int(out[DOMINANT, s])
        highest = 0.0
        for bin_ in range(max(2 * k - 1, k + 2), min(2 * k + 1, BINS) + 1):
            highest = max(highest, power[bin_ - 1, s])
        out[SHARE, s] = power[k - 1, s] / total[s]
        out[HARMONIC, s] = min(highest / power[k - 1, s], 1.0)
        out[DOMINANT, s] /= WINDOW
        out[SECONDARY, s] /= WINDOW


@jit
def evenness(power: Floats, logs: Floats, width: int, total: Floats, out: Floats) -> None:
    """Entropy of the shares / ln 64, and geometric over arithmetic mean."""
    mean, weighted = np.zeros(width), np.zeros(width)
    for j in range(BINS):
        for s in range(width):
            mean[s] += logs[j, s]
            weighted[s] += power[j, s] * logs[j, s]
    for s in range(width):
        entropy = (np.log(total[s]) - weighted[s] / total[s]) / np.log(BINS)
        out[ENTROPY, s] = min(max(entropy, 0.0), 1.0)
        out[FLATNESS, s] = min(np.exp(mean[s] / BINS) / (total[s] / BINS), 1.0)


@jit
def strength(power: Floats, width: int, largest: Floats, out: Floats) -> None:
    """ln(max / median). It sorts each half of ``power`` in place; the two middle values lie between the halves."""
    half = BINS // 2
    for pair in range(len(NETWORK)):
        for offset in range(0, BINS, half):
            i, j = NETWORK[pair, 0] + offset, NETWORK[pair, 1] + offset
            for s in range(width):
                a, b = power[i, s], power[j, s]
                power[i, s] = a if a < b else b
                power[j, s] = b if a < b else a
    lower, upper = np.zeros(width), np.full(width, np.inf)
    for i in range(half):
        for s in range(width):
            a, b = power[i, s], power[BINS - 1 - i, s]
            less, more = (a, b) if a < b else (b, a)
            lower[s] = less if less > lower[s] else lower[s]
            upper[s] = more if more < upper[s] else upper[s]
    for s in range(width):
        median = 0.5 * (lower[s] + upper[s])
        out[STRENGTH, s] = np.log(largest[s] / median) if median > 0.0 else np.nan


@jit
def sliding_spectra(y: Floats, rounding: Floats, first: int) -> tuple[Floats, Floats]:
    """Features of the spectrum of each window of 128 bars, and its total power; for rows from ``first`` on.

    Returns an array (10, len(y)) in the order DOMINANT ... STRENGTH, frequencies in cycles per bar, and the totals
    (len(y)). NaN before ``first``, where ``rounding`` (the size below which deviations in the window are rounding) is
    NaN, and where the residuals of the line are smaller than that: a straight line has no spectrum.
    """
    n = len(y)
    features, totals = np.full((FEATURES, n), np.nan), np.full(n, np.nan)
    spaces, sums = np.zeros((2, 2, BINS + 1, HALO)), np.zeros(BLOCK + 2 * WINDOW)
    slope, total, largest = np.zeros(BLOCK), np.zeros(BLOCK), np.zeros(BLOCK)
    power, logs, out = np.zeros((BINS, BLOCK)), np.zeros((BINS, BLOCK)), np.zeros((FEATURES, BLOCK))
    bits = np.zeros(BLOCK, np.int64)
    for begin in range(max(first, WINDOW - 1), n, BLOCK):
        width = min(BLOCK, n - begin)
        values = y[begin - WINDOW + 1 : begin + width]
        space = spaces[transform(values, width, spaces, sums)]
        slopes(values, width, slope)
        remove_trend(space[0], space[1], slope, width)
        hann_powers(space[0], space[1], width, power)
        for j in range(BINS):
            logarithms(power[j], bits, logs[j])
        shares(power, width, total, out)
        peaks(power, width, total, largest, out)
        evenness(power, logs, width, total, out)
        strength(power, width, largest, out)
        for s in range(width):
            # 2 total / 128^2 is the mean square of what is left, up to the last bin
            if total[s] > 0.5 * (WINDOW * rounding[begin + s]) ** 2:
                totals[begin + s] = total[s]
                for i in range(FEATURES):
                    features[i, begin + s] = out[i, s]
    return features, totals
