"""Parses times in files: dates and times of day in many spellings, epochs, offsets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from fxloom.bars.bars import Floats, Ints
from fxloom.sources.records import Refused

MISSING = np.iinfo(np.int64).min
MINUTE = 60_000_000  # microseconds
EARLIEST, LATEST = 31_536_000_000_000, 4_102_444_800_000_000  # 1971 and 2100

_YEAR_FIRST = ("%Y.%m.%d", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
_DAY_FIRST = ("%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y")
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%H%M%S", "%H%M%S%3f", "%H%M", "%I:%M:%S %p", "%I:%M %p")
_ORDERS = (_YEAR_FIRST, _DAY_FIRST, _MONTH_FIRST)
_OFFSET = r"\s*(?:GMT|UTC)?\s*([+-]\d\d:?\d\d|Z)$|\s(?:GMT|UTC)$"
NAMED_ZONE = r"[A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?"  # as in "20240105 16:00:00 US/Eastern"
_EPOCHS = ((10, 1e6), (13, 1e3), (16, 1.0), (19, 1e-3))  # digits of today's epochs, microseconds per unit


@dataclass(frozen=True, eq=False)
class Times:
    """Microseconds since 1970 as the file's own clock shows them, and each row's offset in hours (NaN: none stated).

    ``local`` is ``MISSING`` where a row's time does not parse.
    """

    local: Ints
    offset: Floats | None


@dataclass(frozen=True)
class Spelling:
    """How a file writes its times: formats to try in this order, or the microseconds per unit of its epochs."""

    formats: tuple[str, ...] = ()
    epoch: float = 0.0
    offsets: bool = False
    untidy: bool = False

    def parse(self, texts: pl.Series) -> Times:
        if self.epoch:
            return Times(_epochs(texts, self.epoch), None)
        texts = tidied(texts) if self.untidy else texts
        offset = _offsets(texts) if self.offsets else None
        plain = texts.str.replace(_OFFSET, "") if self.offsets else texts
        return Times(_parsed(plain, self.formats), offset)


@dataclass(frozen=True)
class SinceMidnight:
    """Times as milliseconds since midnight of ``day`` ("20140501")."""

    day: str

    def parse(self, texts: pl.Series) -> Times:
        """Raises ``Refused`` if they are dates instead."""
        if len(texts) > 1 and texts.str.contains(_DATE_AT_START).fill_null(False).all():
            reason = f"its times are dates (such as {texts[0]!r}), not milliseconds of a day"
            raise Refused(f"{reason}: bars coarser than a minute", "export one-minute bars")
        midnight = np.datetime64(f"{self.day[:4]}-{self.day[4:6]}-{self.day[6:]}", "us").astype(np.int64)
        since = texts.cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
        fits = (since >= 0) & (since < 86_400_000)
        return Times(np.where(fits, midnight + np.where(fits, since, 0) * 1000, MISSING), None)


_DATE_AT_START = r"^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])( |$)"


def tidied(texts: pl.Series) -> pl.Series:
    """Times with single spaces, without the name of their zone, and with the minutes of their offset."""
    texts = texts.str.replace_all(r"\s{2,}", " ").str.replace(rf"\s{NAMED_ZONE}$", "")
    return texts.str.replace(r"(\d:\d\d(?:[.,]\d+)?[+-]\d\d)$", "${1}00")


def spelling_of(texts: list[str]) -> Spelling:
    """The spelling of a column's head. Raises ``Refused`` if it is unknown.

    If day and month could be in either order, the one that parses more of the times is chosen; ``settled_spelling``
    decides if both parse all of them.
    """
    written = pl.Series([text for text in texts if text], dtype=pl.String)
    kept = tidied(written).to_list()
    untidy = kept != written.to_list()
    epoch = _epoch_unit(kept)
    if epoch:
        return Spelling(epoch=epoch)
    offsets = sum(bool(re.search(_OFFSET, text)) for text in kept) * 2 > len(kept)
    heads = pl.Series(kept, dtype=pl.String).str.replace(_OFFSET, "") if offsets else pl.Series(kept, dtype=pl.String)
    orders = [(_fitting(heads, order), order) for order in _ORDERS]
    score, formats = max(((sum(n for n, _ in found), [f for _, f in found]) for found, _ in orders), key=lambda x: x[0])
    if not score:
        raise _unknown(kept)
    return Spelling(tuple(formats), offsets=offsets, untidy=untidy)


_DATE = r"\d{4}[-./]?\d{1,2}[-./]?\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}|\d{1,2} [A-Za-z]{3} \d{4}"
_TIME_OF_DAY = r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?( [AP]M)?|\d{1,6}"


def _unknown(kept: list[str]) -> Refused:
    """The refusal of times in an unknown format."""
    advice = "write them as 2018-02-05 10:36:00"
    if not kept:
        return Refused("its times are missing", advice)
    if all(re.fullmatch(_DATE, text) for text in kept):
        reason = f"daily bars: coarser than a minute (its times are dates, such as {kept[0]})"
        return Refused(reason, "export one-minute bars")
    if all(re.fullmatch(_TIME_OF_DAY, text) for text in kept):
        return Refused(f"its times have no date (such as {kept[0]})", "export the date with the time")
    return Refused(f"its times are in an unknown format (such as {kept[0]!r})", advice)


def other_order(spelling: Spelling) -> Spelling | None:
    """The same spelling with day and month swapped, None if it does not begin with one of them."""
    if not any(f.startswith(("%d", "%m")) for f in spelling.formats):
        return None
    swap = {"%d": "%m", "%m": "%d"}
    return replace(spelling, formats=tuple(re.sub("%[dm]", lambda m: swap[m[0]], f) for f in spelling.formats))


def settled_spelling(written: pl.Series) -> Spelling:
    """The spelling of a whole column of times. Raises ``Refused`` if it is unknown or ambiguous."""
    spelling = spelling_of(written.drop_nulls().head(64).to_list())
    other = other_order(spelling)
    if other is None:
        return spelling
    both = (spelling, other)
    dotted = bool(written.str.contains(r"^\d\d\.").any())
    return both[better_order([each.parse(written).local for each in both], dotted, str(written[0]), 1)]


def better_order(local: Sequence[Ints], dotted: bool, example: str, line: int) -> int:
    """Which of two orders of day and month parses more rows, or else has fewer jumps in time: 0 or 1.

    ``local``: the times under each order. ``dotted``: whether a time begins with two digits and a point, which settles
    that the day is first. Raises ``Refused`` where both are as good.
    """
    scores = []
    for each in local:
        known = each[each != MISSING]
        jumps = int((np.abs(np.diff(known)) > 4 * 86_400_000_000).sum())
        scores.append((len(known), -jumps))
    if scores[0] == scores[1] and not dotted:
        raise Refused(f"day and month are ambiguous (as in {example!r})", "write dates as 2018-02-05", line)
    return 0 if scores[0] >= scores[1] else 1


def _epoch_unit(texts: list[str]) -> float:
    digits = [len(m[1]) for text in texts if (m := re.fullmatch(r"(\d+)(?:\.\d*)?(?:[eE]\+?\d+)?", text))]
    usual = max(set(digits), key=digits.count) if 2 * len(digits) > len(texts) else 0
    return next((unit for length, unit in _EPOCHS if length == usual), 0.0)


def _epochs(texts: pl.Series, unit: float) -> Ints:
    whole = texts.cast(pl.Int64, strict=False)
    if whole.null_count() == 0 and unit >= 1:
        return whole.to_numpy() * np.int64(unit)
    values = texts.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy() * unit
    return whole_microseconds(values)


def whole_microseconds(values: Floats) -> Ints:
    """Microseconds as integers, ``MISSING`` if not finite or out of range."""
    known = np.isfinite(values) & (np.abs(values) < 1e18)
    return np.where(known, np.rint(np.where(known, values, 0.0)), MISSING).astype(np.int64)


def _fitting(texts: pl.Series, dates: tuple[str, ...]) -> list[tuple[int, str]]:
    """The formats of this order that parse any of ``texts``, the best match first."""
    formats = [f"{date}{gap}{clock}" for date in dates for gap in (" ", "T", "") for clock in _CLOCKS]
    formats += [f"{date} {clock}" for date in ("%d %b %Y", "%b %d %Y") for clock in _CLOCKS if dates is _DAY_FIRST]
    seen = {_shape(text) for text in texts}
    formats = [
        each for each in formats if _shape(_EXAMPLE.strftime(each.replace("%.f", ".5").replace("%3f", "500"))) in seen
    ]
    counted = [(len(texts) - _strptime(texts, each).null_count(), each) for each in formats]
    found = sorted((each for each in counted if each[0]), key=lambda each: -each[0])
    return _distinct(texts, found)


_EXAMPLE = dt.datetime(2018, 12, 25, 10, 36, 40)


def _shape(text: str) -> str:
    """The pattern of a time, shared by times of one format: "2018-12-25 10:36:40.5" is "dddd-n-n n:n:n.f"."""
    text = re.sub(r"(:\d\d)\.\d+$", r"\1.f", text)
    text = re.sub(r"[A-Za-z]{2,}", "a", text)
    return re.sub(r"\d+", lambda m: "n" if len(m[0]) < 3 else "d" * len(m[0]), text)


def _distinct(texts: pl.Series, found: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Those of ``found`` that parse texts which none before them parsed, and how many."""
    left, kept = texts, []
    for _, each in found:
        parsed = _strptime(left, each)
        if parsed.null_count() < len(left):
            kept.append((len(left) - parsed.null_count(), each))
            left = left.filter(parsed.is_null())
    return kept


def _strptime(texts: pl.Series, spelled: str) -> pl.Series:
    return texts.str.to_datetime(spelled, strict=False, time_unit="us", exact=True)


def _parsed(texts: pl.Series, formats: tuple[str, ...]) -> Ints:
    out = _strptime(texts, formats[0]).to_physical().fill_null(MISSING).to_numpy().copy()
    left = np.flatnonzero(out == MISSING)
    for each in formats[1:] if len(left) else ():
        parsed = _strptime(texts.gather(left), each)
        known = parsed.is_not_null().to_numpy()
        out[left[known]] = parsed.drop_nulls().to_physical().to_numpy()
        left = left[~known]
        if not len(left):
            break
    return out


def _offsets(texts: pl.Series) -> Floats:
    """The UTC offset in hours at the end of each text, NaN without one."""
    frame = pl.DataFrame({"text": texts}).select(
        pl.col("text").str.extract(r"([+-])\d\d:?\d\d$").alias("sign"),
        pl.col("text").str.extract(r"[+-](\d\d):?\d\d$").cast(pl.Float64).alias("hours"),
        pl.col("text").str.extract(r"[+-]\d\d:?(\d\d)$").cast(pl.Float64).alias("minutes"),
        pl.col("text").str.contains(r"(Z|GMT|UTC)$").alias("zero"),
    )
    size = pl.col("hours") + pl.col("minutes") / 60
    signed = pl.when(pl.col("sign") == "-").then(-size).otherwise(size)
    return frame.select(pl.when(pl.col("zero")).then(0.0).otherwise(signed).fill_null(np.nan))["literal"].to_numpy()
