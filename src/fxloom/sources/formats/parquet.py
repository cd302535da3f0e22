"""Parquet with named columns: ts_utc (or time, date ..), open, high, low, close, or bid and ask bars, or ticks.

The footer is read with Arrow in this thread and the columns with Polars: Arrow's threads still hold the file's
Python buffer after the read returns, and abort the process if it ends just then.
"""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from fxloom.sources.formats.table import Table, useful_columns
from fxloom.sources.records import Refused
from fxloom.sources.sizes import refuse_above

NAME = "parquet"
_WIDEST = 8  # bytes per value of a numeric or time column


def recognise(data: bytes) -> bool:
    """Whether ``data`` begins like a file of this format."""
    return data[:4] == b"PAR1"


def read(data: bytes) -> list[Table]:
    """The table in ``data``. Raises ``Refused`` if it is corrupt or expands beyond bounds."""
    try:
        footer = pq.read_metadata(pa.BufferReader(data))
        groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
        unfolded = max(footer.num_rows, *(g.num_rows for g in groups), 0) * max(1, footer.num_columns) * _WIDEST
        refuse_above(max(unfolded, sum(group.total_byte_size for group in groups)), len(data))
        wanted = useful_columns(pl.read_parquet_schema(io.BytesIO(data)))
        return [Table(pl.read_parquet(io.BytesIO(data), columns=wanted))]
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, KeyError) as error:
        raise Refused(f"corrupt Parquet ({str(error).splitlines()[0][:120]})", "download it again") from error
