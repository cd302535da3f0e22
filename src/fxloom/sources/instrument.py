"""Which of the 28 pairs a file is about: what it says itself, its name, or what the user says."""

from __future__ import annotations

import re
from pathlib import PurePath

from fxloom.bars.bars import Floats
from fxloom.bars.pairs import CURRENCIES, PAIRS
from fxloom.sources.records import Refused

_CODE = "|".join(CURRENCIES)
# A letter may follow only as a broker's suffix in the other case ("EURUSDm"), or one of the usual ones.
_IN_NAME = re.compile(rf"(?<![A-Za-z])({_CODE})[-_/. ]?({_CODE})(?![A-Za-z])", re.IGNORECASE)
_SUFFIXED = re.compile(rf"(?<![A-Za-z])({_CODE.upper()})({_CODE.upper()})(?:[a-z]{{1,5}}(?![A-Za-z]))")
_LOW, _HIGH = 0.05, 20.0  # no pair of the eight that is not quoted in yen has ever been near these
_LOW_YEN, _HIGH_YEN = 10.0, 1000.0


def pair_named(text: str) -> str | None:
    """The one pair that ``text`` names ("EUR_USD", "EURUSD.m", "DAT_ASCII_EURUSD_M1"), None if none.

    Raises ``Refused`` if it names several, or the eight's currencies the wrong way round.
    """
    found = {(a + b).lower() for a, b in (*_IN_NAME.findall(text), *_SUFFIXED.findall(text))}
    found = {pair for pair in found if pair[:3] != pair[3:]}
    if len(found) > 1:
        raise Refused(f"names several pairs ({', '.join(sorted(found))})", "one file a pair, or say --pair")
    pair = next(iter(found), None)
    if pair is not None and pair not in PAIRS:
        raise Refused(f"{pair} is not one of the 28 pairs", f"{pair[3:] + pair[:3]} is")
    return pair


def asked_pair(pair: str | None) -> str | None:
    """``--pair`` as written by the user, in lower case without separators. Raises ``ValueError`` if it is no pair."""
    if pair is None:
        return None
    plain = re.sub(r"[^a-z]", "", pair.lower())
    if plain not in PAIRS:
        raise ValueError(f"{pair!r} is not one of the 28 pairs: {' '.join(PAIRS)}")
    return plain


def settle_pair(asked: str | None, symbols: list[str], hints: tuple[str, ...]) -> str | None:
    """The pair from the column that names it, from the names (nearest first), or as asked; None if nothing tells.

    Raises ``Refused`` where the file and the user contradict one another.
    """
    said = {pair_named(symbol) or "?" for symbol in symbols}
    if len(said) > 1 or "?" in said:
        raise Refused(f"holds {', '.join(sorted(set(symbols))[:4])}", "one file a pair, and of the 28 pairs only")
    own = next(iter(said), None)
    try:
        own = own or next((p for hint in hints if (p := pair_named(PurePath(hint).name))), None)
    except Refused:
        if asked is None:
            raise
        return asked
    if asked and own and asked != own:
        raise Refused(f"is {own} by its own name or content, not {asked}", "leave --pair away, or rename the file")
    return asked or own


def price_range(pair: str | None) -> tuple[float, float]:
    """The prices that ``pair`` can have, generously; of any pair if None."""
    if pair is None:
        return _LOW, _HIGH_YEN
    return (_LOW_YEN, _HIGH_YEN) if pair.endswith("jpy") else (_LOW, _HIGH)


def no_pair(name: str) -> str:
    """Why a file of which nothing tells the pair is refused."""
    return f"names none of the 28 pairs ({name})"


def digits_of(prices: Floats) -> int:
    """The decimals in which (nearly) all of ``prices`` are written, 2 to 7."""
    for digits in range(2, 7):
        scaled = prices * 10.0**digits
        if (abs(scaled - scaled.round()) < 1e-6 * scaled.clip(1.0)).mean() >= 0.99:
            return digits
    return 7
