"""Feather and Arrow IPC files, as pandas, polars and R write them."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from fxloom.sources.formats.table import Table, useful_columns
from fxloom.sources.records import Refused
from fxloom.sources.sizes import refuse_above

NAME = "arrow"
_STREAM = b"\xff\xff\xff\xff"
_WIDEST = 8


def recognise(data: bytes) -> bool:
    """Whether ``data`` begins like a file of this format."""
    return data[:6] == b"ARROW1" or data[:4] in (b"FEA1", _STREAM)


def read(data: bytes) -> list[Table]:
    """The table in ``data``. Raises ``Refused`` if it is corrupt or expands beyond bounds."""
    if data[:4] == b"FEA1":
        raise Refused("a Feather file of version 1", "write it again with a recent pandas or pyarrow")
    try:
        refuse_above(_unpacked_size(data), len(data))
        if data[:4] == _STREAM:
            frame = pl.read_ipc_stream(io.BytesIO(data))
            return [Table(frame.select(useful_columns(frame.schema)))]
        return [Table(pl.read_ipc(io.BytesIO(data), columns=useful_columns(pl.read_ipc_schema(io.BytesIO(data)))))]
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, struct.error) as error:
        raise Refused(f"corrupt Arrow file ({str(error).splitlines()[0][:120]})", "download it again") from error


def _unpacked_size(data: bytes) -> int:
    """The unpacked size in bytes that the record batches declare."""
    total = 0
    for metadata, body in _messages(data):
        rows, buffers, nodes = _batch(metadata)
        declared = (struct.unpack_from("<q", body, at)[0] if size >= 8 else 0 for at, size in buffers)
        total += sum(max(0, each) for each in declared) if _is_compressed(metadata) else len(body)
        total += rows * max(1, nodes) * _WIDEST
    return total


def _messages(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(metadata, body) of every batch and dictionary, as the format frames them: length, metadata, body."""
    at = 8 if data[:6] == b"ARROW1" else 0
    while at + 8 <= len(data):
        mark, length = struct.unpack_from("<Ii", data, at)
        if mark != 0xFFFFFFFF or length <= 0:
            return
        metadata = data[at + 8 : at + 8 + length]
        kind, size = _header(metadata)
        start = at + 8 + length
        if kind in (_DICTIONARY, _RECORDS):
            yield metadata, memoryview(data)[start : start + size]
        at = start + size


# -- the few fields of a message's FlatBuffer (Message.fbs of Arrow's format) that give its unpacked size --------------

_DICTIONARY, _RECORDS = 2, 3


def _field(data: bytes, table: int, number: int) -> int:
    """Position of a table's field, 0 if it is absent."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    size = struct.unpack_from("<H", data, vtable)[0]
    at = 4 + 2 * number
    offset = struct.unpack_from("<H", data, vtable + at)[0] if at < size else 0
    return table + offset if offset else 0


def _pointed(data: bytes, at: int) -> int:
    return at + int(struct.unpack_from("<I", data, at)[0])


def _header(metadata: bytes) -> tuple[int, int]:
    """The kind of a message and the size of its body in bytes."""
    message = _pointed(metadata, 0)
    kind, size = _field(metadata, message, 1), _field(metadata, message, 3)
    return metadata[kind] if kind else 0, struct.unpack_from("<q", metadata, size)[0] if size else 0


def _record_batch(metadata: bytes) -> int:
    table = _pointed(metadata, _field(metadata, _pointed(metadata, 0), 2))
    kind, _ = _header(metadata)
    return _pointed(metadata, _field(metadata, table, 1)) if kind == _DICTIONARY else table


def _is_compressed(metadata: bytes) -> bool:
    return bool(_field(metadata, _record_batch(metadata), 3))


def _batch(metadata: bytes) -> tuple[int, list[tuple[int, int]], int]:
    """Rows of a batch, (offset, length) of its buffers, and the number of its columns."""
    table = _record_batch(metadata)
    length, nodes, buffers = (_field(metadata, table, number) for number in range(3))
    rows = struct.unpack_from("<q", metadata, length)[0] if length else 0
    columns = struct.unpack_from("<I", metadata, _pointed(metadata, nodes))[0] if nodes else 0
    if not buffers:
        return rows, [], columns
    start = _pointed(metadata, buffers)
    count = struct.unpack_from("<I", metadata, start)[0]
    pairs = [struct.unpack_from("<qq", metadata, start + 4 + 16 * i) for i in range(count)]
    return rows, [(int(at), int(size)) for at, size in pairs], columns
