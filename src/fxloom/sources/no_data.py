"""Files that hold no market data and show it themselves: they are left out, and are no failure."""

from __future__ import annotations


def no_data(data: bytes) -> str:
    """Why a file is left out, "" if it may hold data."""
    head = data[:400]
    if head.lstrip().lower().startswith(b"histdata.com ") and b"Status Report" in head:
        return "a status report of the vendor's, no data"
    return ""
