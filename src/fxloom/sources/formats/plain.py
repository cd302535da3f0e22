"""Tables without a header: a time, then open, high, low, close (and volume), or bid and ask."""

from __future__ import annotations

from fxloom.sources.formats.matching import TIME, mostly, numbers
from fxloom.sources.layout import BARS, Layout
from fxloom.sources.text import Sample

NAME = "plain"
_DATE = r"\d{4}[-./]?\d\d[-./]?\d\d|\d\d[-./]\d\d[-./]\d{4}"
_STAMP = rf"{TIME}|({_DATE})[ T]\d\d:?\d\d(:?\d\d([.,]?\d+)?)?|\d{{10}}(\.\d+)?|\d{{13}}"


def _by_content(sample: Sample) -> Layout | None:
    if sample.header:
        return None
    if mostly(_STAMP, sample.column(0)):
        return _after((0,), sample)
    if mostly(_DATE, sample.column(0)) and mostly(r"\d\d:?\d\d(:?\d\d(\.\d+)?)?", sample.column(1)):
        return _after((0, 1), sample)
    return None


def _after(time: tuple[int, ...], sample: Sample) -> Layout | None:
    start = len(time)
    columns = [numbers(sample.column(place)) for place in range(start, sample.width)]
    if len(columns) in (4, 5) and _are_bars(columns):
        roles = (*BARS, "volume")[: len(columns)]
        return Layout(NAME, "bars", time, {role: start + place for place, role in enumerate(roles)})
    four_prices = len(columns) == 4 and _close(columns[0], columns[2]) and _close(columns[0], columns[3])
    if len(columns) in (2, 3, 4) and _close(columns[0], columns[1]) and not four_prices:
        first, second = sum(columns[0]), sum(columns[1])
        bid, ask = (start, start + 1) if first <= second else (start + 1, start)
        return Layout(NAME, "ticks", time, {"bid": bid, "ask": ask}, side="mid")
    return None


def _are_bars(columns: list[list[float]]) -> bool:
    """Whether the first four columns are close together and in the order open, high, low, close."""
    rows = list(zip(*columns[:4], strict=False))
    ordered = sum(h >= max(o, c) and low <= min(o, c) for o, h, low, c in rows)
    return 10 * ordered >= 9 * len(rows) and _close(columns[0], columns[1])


def _close(first: list[float], second: list[float]) -> bool:
    """Whether two columns are prices of the same instrument: within 5 % of each other in most rows."""
    rows = list(zip(first, second, strict=False))
    return 10 * sum(abs(a - b) <= 0.05 * abs(a) for a, b in rows) >= 9 * len(rows)


SHAPES = (_by_content,)
