"""Finds which of the 28 pairs a file holds, from its content, its name or the user's options."""

from __future__ import annotations

import re
from pathlib import PurePath

from fxloom.bars.bars import Floats
from fxloom.bars.pairs import CURRENCIES, PAIRS
from fxloom.sources.records import Refused

_CODE = "|".join(CURRENCIES)
# A letter may follow only as a broker's suffix in the other case ("EURUSDm") or as a common suffix.
_IN_NAME = re.compile(rf"(?<![A-Za-z])({_CODE})[-_/. ]?({_CODE})(?![A-Za-z])", re.IGNORECASE)
_SUFFIXED = re.compile(rf"(?<![A-Za-z])({_CODE.upper()})({_CODE.upper()})(?:[a-z]{{1,5}}(?![A-Za-z]))")
# The lowest and highest price of each pair, a quarter to a third beyond the extremes of the published exchange rates
# since 1986 (the euro before 1999 as the ECU); there are no older one-minute prices. No range spans a factor of ten,
# so a price that is ten times too high and one that is ten times too low cannot both be inside.
PRICE_RANGES = {
    "audcad": (0.5, 1.5), "audchf": (0.38, 1.9), "audjpy": (40, 170), "audnzd": (0.75, 1.9), "audusd": (0.35, 1.5),
    "cadchf": (0.42, 1.8), "cadjpy": (48, 180), "chfjpy": (50, 270), "euraud": (0.9, 2.8), "eurcad": (0.9, 2.4),
    "eurchf": (0.65, 2.3), "eurgbp": (0.4, 1.3), "eurjpy": (65, 250), "eurnzd": (1.0, 3.4), "eurusd": (0.6, 2.1),
    "gbpaud": (1.0, 4.0), "gbpcad": (1.1, 3.4), "gbpchf": (0.75, 3.8), "gbpjpy": (85, 340), "gbpnzd": (1.2, 4.8),
    "gbpusd": (0.78, 2.8), "nzdcad": (0.42, 1.35), "nzdchf": (0.33, 1.5), "nzdjpy": (30, 135), "nzdusd": (0.28, 1.2),
    "usdcad": (0.68, 2.1), "usdchf": (0.5, 2.7), "usdjpy": (56, 270),
}  # fmt: skip


def pair_named(text: str) -> str | None:
    """The one pair that ``text`` names ("EUR_USD", "EURUSD.m", "DAT_ASCII_EURUSD_M1"), or None.

    Raises ``Refused`` if it names several, or two of the eight currencies in reverse order.
    """
    found = {(a + b).lower() for a, b in (*_IN_NAME.findall(text), *_SUFFIXED.findall(text))}
    found = {pair for pair in found if pair[:3] != pair[3:]}
    if len(found) > 1:
        raise Refused(f"names several pairs ({', '.join(sorted(found))})", "provide one file per pair, or pass --pair")
    pair = next(iter(found), None)
    if pair is not None and pair not in PAIRS:
        raise Refused(f"{pair} is not one of the 28 pairs", f"{pair[3:] + pair[:3]} is")
    return pair


def parse_pair(pair: str | None) -> str | None:
    """``--pair`` as the user wrote it, in lower case without separators. Raises ``ValueError`` if it is unknown."""
    if pair is None:
        return None
    plain = re.sub(r"[^a-z]", "", pair.lower())
    if plain not in PAIRS:
        raise ValueError(f"{pair!r} is not one of the 28 pairs: {' '.join(PAIRS)}")
    return plain


def settle_pair(asked: str | None, symbols: list[str], hints: tuple[str, ...]) -> str | None:
    """The pair from the column that names it, from the names (nearest first), or from the user; None if unknown.

    Raises ``Refused`` if the file and the user contradict each other.
    """
    stated = {pair_named(symbol) or "?" for symbol in symbols}
    if len(stated) > 1 or "?" in stated:
        raise Refused(
            f"holds {', '.join(sorted(set(symbols))[:4])}", "provide one file per pair, and only the 28 pairs"
        )
    own = next(iter(stated), None)
    try:
        own = own or next((p for hint in hints if (p := pair_named(PurePath(hint).name))), None)
    except Refused:
        if asked is None:
            raise
        return asked
    if asked and own and asked != own:
        raise Refused(f"its name or content says {own}, not {asked}", "omit --pair, or rename the file")
    return asked or own


def price_range(pair: str | None) -> tuple[float, float]:
    """Generous bounds on the price of ``pair``, or of any pair if None.

    >>> price_range("usdchf")
    (0.5, 2.7)
    """
    if pair is not None:
        return PRICE_RANGES[pair]
    return min(low for low, _ in PRICE_RANGES.values()), max(high for _, high in PRICE_RANGES.values())


def no_pair(name: str) -> str:
    """The reason for refusing a file whose pair is unknown."""
    return f"names none of the 28 pairs ({name})"


def digits_of(prices: Floats) -> int:
    """The number of decimals that (nearly) all of ``prices`` are written with, 2 to 7."""
    for digits in range(2, 7):
        scaled = prices * 10.0**digits
        if (abs(scaled - scaled.round()) < 1e-6 * scaled.clip(1.0)).mean() >= 0.99:
            return digits
    return 7
