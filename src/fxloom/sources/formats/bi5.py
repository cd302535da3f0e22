"""Dukascopy's own tick files: LZMA over big-endian records (ms in the hour, ask, bid, ask and bid volume), in UTC.

The hour is in the name, with months counted from 0: GBPJPY_2012_11_03_00h_ticks.bi5 is 2012-12-03 00:00, and so is
GBPJPY/2012/11/03/00h_ticks.bi5.
"""

from __future__ import annotations

import datetime as dt
import lzma
import re

import numpy as np

from fxloom.sources.layout import Layout
from fxloom.sources.records import Refused
from fxloom.sources.rows import Rows, new_rows
from fxloom.sources.times import MISSING, Times

NAME = "bi5"
LAYOUT = Layout(NAME, "ticks", (0,), {"ask": 1, "bid": 2}, zone=0.0, zone_by_format=True, side="mid")
_RECORD = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_volume", ">f4"), ("bid_volume", ">f4")])
_LARGEST = 256 << 20  # bytes of one hour of ticks, unpacked: 13 million ticks
_HOUR_MS = 3_600_000


def recognise(hints: tuple[str, ...]) -> bool:
    """Whether the file's name is that of a bi5 file: its content has no distinctive beginning."""
    return hints[0].lower().endswith(".bi5")


def parse(data: bytes, hints: tuple[str, ...], pair: str | None) -> Rows:
    """The ticks of one hour, prices scaled by the pair's point (1e-3 in yen, otherwise 1e-5). May raise ``Refused``."""
    hour, records = _hour(hints), _records(data)
    ms = records["ms"].astype(np.int64)
    local = np.where(ms < _HOUR_MS, hour + ms * 1000, MISSING)
    point = 1e3 if pair is not None and pair.endswith("jpy") else 1e5
    values = {side: records[side] / point for side in ("bid", "ask")}

    def raw(line: int) -> str:
        return ",".join(str(field) for field in records[line - 1])

    return new_rows(np.arange(1, len(records) + 1), Times(local, None), values, raw)


def _records(data: bytes) -> np.ndarray:
    try:
        unpacker = lzma.LZMADecompressor()
        plain = unpacker.decompress(data, _LARGEST)
    except (lzma.LZMAError, EOFError) as error:
        raise Refused(f"corrupt: its LZMA stream is truncated or invalid ({error})", "download it again") from error
    if len(plain) >= _LARGEST:
        raise Refused("unpacks to more than an hour of ticks can be: an LZMA bomb?", "download it again")
    if not unpacker.eof and unpacker.needs_input and len(plain) % _RECORD.itemsize:
        raise Refused("truncated: its last record is incomplete", "download it again")
    if not plain or len(plain) % _RECORD.itemsize:
        raise Refused(
            f"holds {len(plain):,} bytes, which is not a whole number of ticks of 20 bytes", "download it again"
        )
    return np.frombuffer(plain, _RECORD)


def _hour(hints: tuple[str, ...]) -> int:
    """Microseconds since 1970 of the hour that the name or the folders state."""
    for path in (hints[0], "/".join(reversed(hints[:5]))):
        found = re.search(r"(\d{4})[_/-](\d{2})[_/-](\d{2})[_/-](\d{2})h", path)
        if found:
            year, month, day, hour = map(int, found.groups())
            try:
                return int(dt.datetime(year, month + 1, day, hour, tzinfo=dt.UTC).timestamp()) * 1_000_000
            except ValueError:
                break
    advice = "name it as Dukascopy does: GBPJPY_2012_11_03_00h_ticks.bi5, with months counted from 0"
    raise Refused("its name does not state the hour", advice)
