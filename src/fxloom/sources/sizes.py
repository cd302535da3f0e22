"""Limits how far a compressed file may expand: as far as real market data does, and no further."""

from __future__ import annotations

from typing import IO

from fxloom.sources.records import Refused

LARGEST = 4 << 30  # bytes of one file, unpacked
RATIO = 250  # unpacked : packed, for anything above EASY bytes; real exports stay below 30
EASY = 16 << 20


def limit_of(packed: int) -> int:
    """The largest unpacked size, in bytes, allowed for a file of ``packed`` bytes."""
    return min(LARGEST, max(EASY, RATIO * packed))


def refuse_above(unfolded: int, packed: int) -> None:
    """Raises ``Refused`` if a file of ``packed`` bytes declares a larger unpacked size than market data has."""
    if unfolded > limit_of(packed):
        raise Refused(
            f"expands to {unfolded >> 20:,} MiB from {packed:,} bytes: a decompression bomb?",
            "split it by month, or export it again",
        )


def bounded(file: IO[bytes], packed: int) -> bytes:
    """All of a decompressed stream. Raises ``Refused`` beyond what ``packed`` bytes of market data can hold."""
    limit = limit_of(packed)
    data = file.read(limit + 1)
    if len(data) > limit:
        raise Refused(
            f"expands to more than {limit >> 20:,} MiB from {packed:,} bytes: a decompression bomb?",
            "unpack it yourself",
        )
    return data
