"""How pairs are related: sets of siblings with their signs, sisters of currencies, cointegration systems, triangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fxloom.bars.bars import Floats, Ints
from fxloom.bars.pairs import CURRENCIES, PAIRS

SETS = ("base", "quote", "cross")
BASE, QUOTE, CROSS = 0, 1, 2
MAJORS = ("eurusd", "gbpusd", "usdjpy", "usdchf", "audusd", "usdcad", "nzdusd", "eurgbp")
SISTERS = {
    "aud": ("nzd", "cad", "usd"),
    "nzd": ("aud", "cad", "usd"),
    "cad": ("aud", "usd", "nzd"),
    "usd": ("cad", "eur", "jpy"),
    "eur": ("gbp", "chf", "usd"),
    "gbp": ("eur", "chf", "usd"),
    "chf": ("eur", "jpy", "gbp"),
    "jpy": ("chf", "usd", "eur"),
}


@dataclass(frozen=True, eq=False)
class Relations:
    """``relation[p, q]``: the set of pair p that q belongs to, -1 for p itself; ``sign[p, q]``: +1 or -1.

    Signed, the currency that q shares with p is in the same place as in p. In the cross set the sign is 1.
    """

    relation: Ints
    sign: Floats


def relate(pair: str, other: str) -> tuple[int, float]:
    """The set of ``pair`` that ``other`` is in, and its sign there.

    >>> relate("eurusd", "eurjpy"), relate("eurusd", "usdjpy"), relate("eurusd", "audjpy")
    ((0, 1.0), (1, -1.0), (2, 1.0))
    """
    base, quote = pair[:3], pair[3:]
    if pair == other:
        return -1, 0.0
    if base in (other[:3], other[3:]):
        return BASE, 1.0 if other[:3] == base else -1.0
    if quote in (other[:3], other[3:]):
        return QUOTE, 1.0 if other[3:] == quote else -1.0
    return CROSS, 1.0


def relations(pairs: Sequence[str]) -> Relations:
    """The relations of every stored pair to every other."""
    found = [[relate(p, q) for q in pairs] for p in pairs]
    shape = (len(pairs), len(pairs))
    relation = np.array([[f[0] for f in row] for row in found], np.int64).reshape(shape)
    return Relations(relation, np.array([[f[1] for f in row] for row in found], np.float64).reshape(shape))


def members_of(pairs: Sequence[str], which: int) -> tuple[Ints, Floats]:
    """The members of set ``which`` of every pair and their signs (pairs, longest), -1 and 0 where a set is shorter."""
    known = relations(pairs)
    return _padded([np.flatnonzero(row == which) for row in known.relation], known.sign)


def others_of(pairs: Sequence[str]) -> tuple[Ints, Floats]:
    """The other pairs of every pair, with sign 1 (pairs, pairs - 1)."""
    rows = [np.delete(np.arange(len(pairs)), i) for i in range(len(pairs))]
    return _padded(rows, np.ones((len(pairs), len(pairs))))


def holders_of(pairs: Sequence[str]) -> tuple[Ints, Floats]:
    """The pairs with each of the eight currencies and their signs (8, longest), +1 where it is the base."""
    rows = [np.array([i for i, p in enumerate(pairs) if c in (p[:3], p[3:])], np.int64) for c in CURRENCIES]
    return _padded(rows, np.array([[1.0 if p[:3] == c else -1.0 for p in pairs] for c in CURRENCIES]))


def _padded(rows: Sequence[Ints], sign: Floats) -> tuple[Ints, Floats]:
    longest = max([1, *(len(row) for row in rows)])
    members, signs = np.full((len(rows), longest), -1, np.int64), np.zeros((len(rows), longest))
    for i, row in enumerate(rows):
        members[i, : len(row)] = row
        signs[i, : len(row)] = sign[i, row]
    return members, signs


def quoted(one: str, other: str) -> str:
    """The catalogue's name of the pair of two currencies.

    >>> quoted("usd", "eur")
    'eurusd'
    """
    return one + other if one + other in PAIRS else other + one


def system_of(pair: str) -> tuple[str, str, str]:
    """The three pairs of the pair's cointegration system.

    >>> system_of("eurusd")
    ('eurusd', 'eurgbp', 'usdcad')
    """
    base, quote = pair[:3], pair[3:]
    first = next(s for s in SISTERS[base] if s != quote)
    second = next(s for s in SISTERS[quote] if s not in (base, first))
    return pair, quoted(base, first), quoted(quote, second)


def triangles_of(pair: str) -> list[tuple[str, float, str, float]]:
    """For each third currency Z: the pairs of X and Z and of Y and Z, with the signs of their log prices in e_Z.

    e_Z = ln(X/Y) - ln(X/Z) + ln(Y/Z).

    >>> triangles_of("eurusd")[0]
    ('euraud', -1.0, 'audusd', -1.0)
    """
    base, quote = pair[:3], pair[3:]
    found = []
    for third in CURRENCIES:
        if third not in (base, quote):
            one, other = quoted(base, third), quoted(quote, third)
            found.append((one, -1.0 if one[:3] == base else 1.0, other, 1.0 if other[:3] == quote else -1.0))
    return found
