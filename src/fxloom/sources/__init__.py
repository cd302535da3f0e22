"""Users' files turned into bars: formats recognised by content, zones told by the trading week, nothing lost silently.

``read(paths)`` gives one outcome a file: a ``SourceFile`` with bars in UTC, a ``Refused`` with reason and cure, or
an ``Ignored`` that says itself that it is no data.
"""

from fxloom.sources.formats import NAMES as FORMAT_NAMES
from fxloom.sources.options import ReadOptions
from fxloom.sources.reading import read
from fxloom.sources.records import FileResult, Ignored, OffsetPeriod, Quarantined, Refused, SourceFile, Zone

__all__ = [
    "FORMAT_NAMES",
    "FileResult",
    "Ignored",
    "OffsetPeriod",
    "Quarantined",
    "ReadOptions",
    "Refused",
    "SourceFile",
    "Zone",
    "read",
]
