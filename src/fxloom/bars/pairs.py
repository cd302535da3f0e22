"""The 28 pairs of the eight major currencies, and what the store knows about each."""

from __future__ import annotations

from dataclasses import dataclass

CURRENCIES = ("aud", "cad", "chf", "eur", "gbp", "jpy", "nzd", "usd")

PAIRS = (
    "audcad", "audchf", "audjpy", "audnzd", "audusd", "cadchf", "cadjpy", "chfjpy", "euraud", "eurcad",
    "eurchf", "eurgbp", "eurjpy", "eurnzd", "eurusd", "gbpaud", "gbpcad", "gbpchf", "gbpjpy", "gbpnzd",
    "gbpusd", "nzdcad", "nzdchf", "nzdjpy", "nzdusd", "usdcad", "usdchf", "usdjpy",
)  # fmt: skip


@dataclass(frozen=True)
class PairInfo:
    """What is settled about a pair when it is first ingested; its features depend on it.

    ``baseline`` is the price at which the rate index is 100. If the source has no volume or quotes, the
    catalogue's proxies are used. ``price_side`` is the side of the stored prices, "bid" or "mid".
    """

    baseline: float
    has_volume: bool = True
    has_quotes: bool = True
    price_side: str = "mid"


def pip_of(pair: str) -> float:
    """The pair's pip in price units: 0.01 if the quote currency is the yen, otherwise 0.0001.

    >>> pip_of("eurusd"), pip_of("usdjpy")
    (0.0001, 0.01)
    """
    return 0.01 if pair.endswith("jpy") else 0.0001
