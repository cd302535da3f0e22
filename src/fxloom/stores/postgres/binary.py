"""Encodes rows in PostgreSQL's binary COPY format, column by column in NumPy, and decodes them.

A row is a 16-bit count of fields, then each field as a 32-bit length and its bytes, all big-endian; length -1 is
NULL and has no bytes. Rows without missing values all have the same width, so that a block of them is a strided array.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fxloom.bars.bars import Floats, Ints
from fxloom.bars.months import MICROSECONDS_PER_MINUTE

Bytes = npt.NDArray[np.uint8]

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
ROWS_PER_BLOCK = 512  # rows of 90 columns that fit in a processor's second-level cache
PAIR_BYTES = 6
NULL = 0xFFFFFFFF

_Y2000 = 946_684_800_000_000  # microseconds from 1970 to 2000


@dataclass(frozen=True, eq=False)
class Block:
    """Rows to write: minutes since 1970, optionally a pair per row, and numeric columns in which NaN is missing."""

    ts: Ints
    pairs: Sequence[str] | None
    columns: Sequence[Floats]
    dtype: str


def encoded(block: Block) -> Iterator[bytes | memoryview]:
    """``block`` as the chunks of a COPY in binary format; each chunk is valid until the next is requested.

    ValueError if a pair does not have six letters.
    """
    yield HEADER
    pairs = _pair_bytes(block.pairs)
    scratch = _Scratch(block)
    for first in range(0, len(block.ts), ROWS_PER_BLOCK):
        rows = slice(first, first + ROWS_PER_BLOCK)
        yield scratch.rows(block.ts[rows], None if pairs is None else pairs[rows], [c[rows] for c in block.columns])
    yield TRAILER


def _template(block: Block) -> Bytes:
    """A row without missing values whose payloads are all zero."""
    size = np.dtype(block.dtype).itemsize
    fields = 1 + (block.pairs is not None) + len(block.columns)
    row = fields.to_bytes(2, "big") + (8).to_bytes(4, "big") + bytes(8)
    if block.pairs is not None:
        row += PAIR_BYTES.to_bytes(4, "big") + bytes(PAIR_BYTES)
    row += (size.to_bytes(4, "big") + bytes(size)) * len(block.columns)
    return np.frombuffer(row, np.uint8)


def _pair_bytes(pairs: Sequence[str] | None) -> Bytes | None:
    if pairs is None:
        return None
    if any(len(pair) != PAIR_BYTES for pair in set(pairs)):
        raise ValueError("a pair must have six letters")
    return np.array(pairs, dtype=f"S{PAIR_BYTES}").view(np.uint8).reshape(-1, PAIR_BYTES)


class _Scratch:
    """A reusable block of rows as bytes: lengths stay, payloads are overwritten."""

    def __init__(self, block: Block) -> None:
        self.template = _template(block)
        self.fields = len(block.columns)
        self.values = np.empty((self.fields, ROWS_PER_BLOCK), block.dtype)
        self.size = self.values.dtype.itemsize
        self.first = len(self.template) - (4 + self.size) * self.fields  # where the first column's length is
        self.buffer = np.tile(self.template, (ROWS_PER_BLOCK, 1))
        self.payload = self._strided(f">f{self.size}", self.first + 4)
        self.lengths = self._strided(">u4", self.first)

    def _strided(self, dtype: str, offset: int) -> npt.NDArray[Any]:
        """A view, field by field, of the payloads or the lengths, ``offset`` bytes into the row."""
        strides = (self.buffer.shape[1], 4 + self.size)
        return np.ndarray((ROWS_PER_BLOCK, self.fields), dtype, self.buffer.data, offset, strides)

    def rows(self, ts: Ints, pairs: Bytes | None, columns: Sequence[Floats]) -> bytes | memoryview:
        n = len(ts)
        for i, column in enumerate(columns):
            self.values[i, :n] = column
        values = self.values[:, :n].T
        self.buffer[:n, 6:14] = (ts * MICROSECONDS_PER_MINUTE - _Y2000).astype(">i8").view(np.uint8).reshape(-1, 8)
        if pairs is not None:
            self.buffer[:n, 18 : 18 + PAIR_BYTES] = pairs
        self.payload[:n] = values
        missing = np.isnan(values)
        return self._without(missing) if missing.any() else self.buffer[:n].data.cast("B")

    def _without(self, missing: npt.NDArray[np.bool_]) -> bytes:
        """The bytes with ``missing`` values as NULL: length -1 and no payload."""
        n = len(missing)
        self.lengths[:n][missing] = NULL
        keep = np.ones((n, self.buffer.shape[1]), np.bool_)
        np.ndarray((n, self.fields, self.size), np.bool_, keep.data, self.first + 4, (*self.payload.strides, 1))[
            missing
        ] = False
        found = self.buffer[:n][keep].tobytes()
        self.lengths[:n][missing] = self.size
        return found


def checksum(block: Block) -> int:
    """A checksum of ``block`` as it is stored, independent of the bit patterns of its NaNs."""
    found = zlib.crc32(np.ascontiguousarray(block.ts, np.int64).data)
    if block.pairs is not None:
        found = zlib.crc32("".join(block.pairs).encode(), found)
    for column in block.columns:
        values = np.array(column, dtype=block.dtype)
        values[np.isnan(values)] = np.nan
        found = zlib.crc32(values.data, found)
    return found


# -- decoding --------------------------------------------------------------------------------------------------------


def decoded(data: bytes, fields: Sequence[str]) -> dict[str, npt.NDArray[np.generic]]:
    """The columns in the output of COPY (...) TO STDOUT (FORMAT binary), for rows without NULL.

    ``fields`` are the types in order: "time" (returned as minutes since 1970), "float32", "float64", "pair". Columns
    are returned by position. ValueError if the data is truncated or of other types.
    """
    kinds = {"time": (8, ">i8"), "float32": (4, ">f4"), "float64": (8, ">f8"), "pair": (PAIR_BYTES, f"S{PAIR_BYTES}")}
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for i, kind in enumerate(fields):
        layout += [(f"length{i}", ">i4"), (str(i), kinds[kind][1])]
    row = np.dtype(layout)
    body = memoryview(data)[len(HEADER) : -len(TRAILER)]
    if len(data) < len(HEADER) + len(TRAILER) or len(body) % row.itemsize:
        raise ValueError("the server's data is not a table of the expected columns")
    table = np.frombuffer(body, row)
    if len(table) and not all((table[f"length{i}"] == kinds[kind][0]).all() for i, kind in enumerate(fields)):
        raise ValueError("the server's data has unexpected types")
    return {str(i): _column(table[str(i)], kind) for i, kind in enumerate(fields)}


def _column(values: npt.NDArray[np.generic], kind: str) -> npt.NDArray[np.generic]:
    if kind == "time":
        micros = values.astype(np.int64) + _Y2000
        return micros // MICROSECONDS_PER_MINUTE if not np.any(micros % MICROSECONDS_PER_MINUTE) else _not_whole(micros)
    return values.astype(values.dtype.newbyteorder("=")) if kind != "pair" else values.astype("U")


def _not_whole(micros: Ints) -> Ints:
    first = np.datetime64(int(micros[np.argmax(micros % MICROSECONDS_PER_MINUTE != 0)]), "us")
    raise ValueError(f"{first} is not a whole minute")
