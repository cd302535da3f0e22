"""Excel workbooks (xlsx): each sheet is read as a table of text, so that every text format is recognised in it."""

from __future__ import annotations

import io
import re
import zipfile

import polars as pl

from fxloom.sources.formats.table import Table
from fxloom.sources.records import Refused
from fxloom.sources.sizes import bounded, refuse_above
from fxloom.sources.text import Text
from fxloom.sources.unpack import UNREADABLE

NAME = "xlsx"
_ADVICE = "save it as csv, or install the reader: pip install 'fxloom[xlsx]'"
# Cells beyond column Z or row 1,099,999: a reader would allocate every cell up to there.
_FAR = re.compile(rb' r="(?:[A-Z]{2,}\d|[A-Z](?:\d{8}|[2-9]\d{6}|1[1-9]\d{5}))')


def recognise(data: bytes) -> bool:
    """Whether ``data`` is an Excel workbook."""
    if data[:4] != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return is_workbook(archive)
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether a zip archive is a workbook of Excel 2007 or later."""
    return {"[Content_Types].xml", "xl/workbook.xml"} <= set(archive.namelist())


def read(data: bytes) -> list[Table]:
    """The sheets that are not empty. Raises ``Refused`` if there are none, or no reader is installed."""
    try:
        import fastexcel
    except ImportError as error:
        raise Refused("an Excel workbook, but the reader is not installed", _ADVICE) from error
    try:
        _measured(data)
        workbook = fastexcel.read_excel(data)
        sheets = [(name, _sheet(workbook, name)) for name in workbook.sheet_names]
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, zipfile.BadZipFile, *UNREADABLE) as error:
        raise Refused(f"corrupt workbook ({str(error).splitlines()[0][:120]})", "save it as csv") from error
    tables = [Table(text, hint=name) for name, text in sheets if text.data.strip()]
    if not tables:
        raise Refused("a workbook with only empty sheets", "save it again")
    return tables


def _measured(data: bytes) -> None:
    """Refuse a workbook that expands beyond bounds, by the actual size of its parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        total = 0
        for member in archive.infolist():
            with archive.open(member) as file:
                content = bounded(file, member.compress_size)
            total += len(content)
            refuse_above(total, len(data))
            if member.filename.startswith("xl/worksheets/") and _FAR.search(content):
                raise Refused("a workbook with more than 26 columns or a million rows", "save the prices alone as csv")


def _sheet(workbook: object, name: str) -> Text:
    sheet = workbook.load_sheet(name, header_row=None, dtypes="string")  # type: ignore[attr-defined]
    frame: pl.DataFrame = sheet.to_polars()
    frame = frame.select(pl.col(pl.String).str.replace_all(r"[\t\r\n]", " ").fill_null(""))
    if not frame.width or not frame.height:
        return Text(b"")
    return Text(frame.write_csv(include_header=False, separator="\t", quote_style="never").encode())
