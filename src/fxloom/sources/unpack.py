"""Decompresses gzip, bzip2, xz, zstd and lz4 streams, recognised by their first bytes, within bounds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, cast

import pyarrow as pa

from fxloom.sources.sizes import bounded

UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, pa.ArrowException)


def _arrow(codec: str) -> Callable[[IO[bytes]], IO[bytes]]:
    return lambda file: cast(IO[bytes], pa.CompressedInputStream(pa.PythonFile(file, "r"), codec))


_STREAMS: tuple[tuple[bytes, Callable[[IO[bytes]], IO[bytes]]], ...] = (
    (b"\x1f\x8b", lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file))),
    (b"BZh", lambda file: cast(IO[bytes], bz2.BZ2File(file))),
    (b"\xfd7zXZ\x00", lambda file: cast(IO[bytes], lzma.LZMAFile(file))),  # noqa: SIM115
    (b"\x28\xb5\x2f\xfd", _arrow("zstd")),
    (b"\x04\x22\x4d\x18", _arrow("lz4")),
)


def compressed(head: bytes) -> bool:
    """Whether a file that begins with ``head`` (8 bytes) is compressed."""
    return any(head.startswith(magic) for magic, _ in _STREAMS)


def unpacking(file: IO[bytes], head: bytes) -> IO[bytes] | None:
    """A stream that decompresses ``file``, whose first bytes are ``head``; None if it is not compressed."""
    stream = next((stream for magic, stream in _STREAMS if head.startswith(magic)), None)
    return None if stream is None else stream(file)


def unpacked(data: bytes) -> bytes:
    """``data``, decompressed if it is compressed. Raises ``Refused`` if it expands beyond bounds."""
    stream = unpacking(io.BytesIO(data), data[:8])
    if stream is None:
        return data
    with stream:
        return bounded(stream, len(data))
