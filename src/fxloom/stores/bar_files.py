"""Reading files of bars, held to the summaries of their days and to the place where they lie."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from fxloom.bars.bars import Bars
from fxloom.bars.days import summarise_days
from fxloom.stores.base import CorruptError, StoreError
from fxloom.stores.frames import BarsNote, bars_note, bars_of
from fxloom.stores.parts import UNREADABLE, is_corruption


def _checked_note(metadata: dict[bytes, bytes] | None, path: Path, pair: str, month: str) -> BarsNote:
    note = bars_note(metadata or {}, path)
    if (note.pair, note.month) != (pair, month):
        raise ValueError(f"it contains the bars of {note.pair} {note.month}, copied or moved here")
    return note


def read_note(path: Path, pair: str, month: str) -> BarsNote:
    """What a file of bars says of itself; CorruptError, or StoreError if the system refuses."""
    try:
        return _checked_note(pq.read_metadata(path).metadata, path, pair, month)
    except UNREADABLE as error:
        raise _unreadable(path, pair, month, error) from None


def read_bars_file(path: Path, pair: str, month: str) -> tuple[Bars, BarsNote]:
    """The bars of a month, verified against the summaries of their days, and the note; errors as ``read_note``."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            note = _checked_note(file.metadata.metadata, path, pair, month)
            bars = bars_of(file.read())
        if summarise_days(bars) != note.days:
            raise ValueError("the bars differ from those that were written")
        return bars, note
    except UNREADABLE as error:
        raise _unreadable(path, pair, month, error) from None


def _unreadable(path: Path, pair: str, month: str, error: BaseException) -> StoreError:
    """The error for a file of bars that cannot be read: CorruptError only if the file itself is at fault."""
    if not is_corruption(error):
        return StoreError(f"{path} cannot be read: {error}")
    return CorruptError(f"{path} is corrupt ({error}): ingest the bars of {pair} {month} again")
