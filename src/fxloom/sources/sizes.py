"""How much a packed file may unfold to: what real market data can be, and no more."""

from __future__ import annotations

from typing import IO

from fxloom.sources.records import Refused

LARGEST = 4 << 30  # bytes of one file, unpacked
RATIO = 250  # unpacked : packed, of anything above EASY bytes; real exports stay below 30
EASY = 16 << 20


def limit_of(packed: int) -> int:
    """Bytes that a file of ``packed`` bytes may unfold to."""
    return min(LARGEST, max(EASY, RATIO * packed))


def refuse_above(unfolded: int, packed: int) -> None:
    """Raises ``Refused`` if a file of ``packed`` bytes says that it unfolds to more than market data does."""
    if unfolded > limit_of(packed):
        raise Refused(
            f"unfolds to {unfolded >> 20:,} MiB from {packed:,} bytes: a decompression bomb?",
            "split it by month, or write it again from its source",
        )


def bounded(file: IO[bytes], packed: int) -> bytes:
    """All of an unpacking stream. Raises ``Refused`` if it grows beyond what ``packed`` bytes of market data hold."""
    limit = limit_of(packed)
    data = file.read(limit + 1)
    if len(data) > limit:
        raise Refused(
            f"unpacks to more than {limit >> 20:,} MiB from {packed:,} bytes: a decompression bomb?",
            "unpack it yourself",
        )
    return data
