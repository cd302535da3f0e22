"""Which side traded: bulk volume classification, runs of moves, and the sizes of moves."""

from __future__ import annotations

import math

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.comoments import centred_products
from fxloom.kernels.jit import jit
from fxloom.kernels.order import insert, median, remove
from fxloom.kernels.tolerances import EQUAL

BLOCK = 512
COLLINEAR = 1e-12  # a determinant of at most this share of Sxx Szz
STEPS = 64.0  # knots per unit of z in the table of 2 Phi(z) - 1
KNOTS = 545  # knots on either side of 0: beyond z = 8.5 the function is 1 to the last digit
_Z = np.arange(-KNOTS, KNOTS + 1) / STEPS
BALANCE = np.array([math.erf(z / math.sqrt(2.0)) for z in _Z])  # 2 Phi - 1 at the knots
DENSITY = 2.0 * np.exp(-0.5 * _Z * _Z) / math.sqrt(2.0 * math.pi)  # its slope there


@jit
def bulk_imbalance(volume: Floats, r: Floats, std: Floats, window: int) -> Floats:
    """Sum of V (2 Phi(r / std[t]) - 1) over each window, one std for all of it (n), in units of volume.

    The normal distribution is its Taylor polynomial of fifth degree about the nearest of 64 knots per unit (error
    below 1e-15; an erf per value would take four times as long). NaN where std is 0 or missing. Source: bulk volume
    classification, Easley, Lopez de Prado & O'Hara (2012).
    """
    n = len(r)
    out, scale = np.full(n, np.nan), np.empty(BLOCK)
    for begin in range(window - 1, n, BLOCK):
        end = min(begin + BLOCK, n)
        total = out[begin:end]
        for i in range(end - begin):
            known = std[begin + i] > 0.0
            scale[i] = 1.0 / std[begin + i] if known else 0.0
            total[i] = 0.0 if known else np.nan
        for lag in range(window):
            past_volume, past_r = volume[begin - lag : end - lag], r[begin - lag : end - lag]
            for i in range(end - begin):
                x = past_r[i] * scale[i]
                x = x if x > -8.5 else -8.5  # a NaN too, which must not become an index
                x = x if x < 8.5 else 8.5
                k = np.int32(x * STEPS + (KNOTS + 0.5))
                z = (k - KNOTS) * (1.0 / STEPS)
                d, zz = x - z, z * z
                fifth = d * ((zz - 6.0) * zz + 3.0) * (1.0 / 120.0)
                fourth = d * (z * (zz - 3.0) * (1.0 / 24.0) - fifth)
                taylor = 1.0 - d * (z * 0.5 - d * ((zz - 1.0) * (1.0 / 6.0) - fourth))
                total[i] += past_volume[i] * (BALANCE[k] + DENSITY[k] * d * taylor)
    return out


@jit
def bulk_flow(volume: Floats, r: Floats, std: Floats) -> Floats:
    """V (2 Phi(r / std) - 1) of each bar with its own std (n), in units of volume; 0 where r is 0, even if std is."""
    out = np.full(len(r), np.nan)
    for t in range(len(r)):
        if std[t] > 0.0:
            out[t] = volume[t] * math.erf(r[t] / (std[t] * math.sqrt(2.0)))
        elif std[t] == 0.0 and r[t] == 0.0:
            out[t] = 0.0
    return out


@jit
def move_run(direction: Floats, window: int) -> Floats:
    """The number of consecutive moves, up to the latest, in the same direction, with its sign (n).

    ``direction`` is -1, 0 or 1; a 0 neither counts nor ends the run. 0 where the window holds no move.

    >>> float(move_run(np.array([-1.0, 1.0, 0.0, 1.0]), 4)[3])
    2.0
    """
    n = len(direction)
    out, known = np.full(n, np.nan), 0
    for t in range(n):
        known = known + 1 if direction[t] == direction[t] else 0
        if known < window:
            continue
        run = 0.0
        for i in range(t, t - window, -1):
            if direction[i] * run < 0.0:
                break
            run += direction[i]
        out[t] = run
    return out


@jit
def tail_share(size: Floats, window: int, least: float, factor: float) -> Floats:
    """The share of bars larger than ``factor`` times the median of those of at least ``least``, in each window (n).

    Larger means by more than 1e-9 of it. NaN where the window holds a NaN or no value of at least ``least``.
    """
    n = len(size)
    out, values, held, known = np.full(n, np.nan), np.empty(window + 1), 0, 0
    for t in range(n):
        known = known + 1 if size[t] == size[t] else 0
        if t >= window and size[t - window] >= least:
            remove(values, held, size[t - window])
            held -= 1
        if size[t] >= least:
            insert(values, held, size[t])
            held += 1
        if known < window or held == 0:
            continue
        limit = factor * median(values, held) * (1.0 + EQUAL)
        larger = 0
        while larger < held and values[held - 1 - larger] > limit:
            larger += 1
        out[t] = larger / window
    return out


@jit
def second_slope(y: Floats, x: Floats, z: Floats, window: int) -> Floats:
    """The coefficient of z in the least-squares fit y = a + b x + c z over each window.

    NaN where the determinant is at most 1e-12 Sxx Szz.
    """
    xx, xz, zz = centred_products(x, z, window)
    xy, zy = centred_products(x, y, window)[1], centred_products(z, y, window)[1]
    out = np.full(len(y), np.nan)
    for t in range(window - 1, len(y)):
        determinant = xx[t] * zz[t] - xz[t] * xz[t]
        if determinant > COLLINEAR * xx[t] * zz[t]:
            out[t] = (zy[t] * xx[t] - xy[t] * xz[t]) / determinant + 0.0
    return out
