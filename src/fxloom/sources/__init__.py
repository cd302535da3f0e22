"""Turns users' files into bars: formats are recognised by content, time zones inferred from the trading week.

Nothing is dropped silently. ``read(paths)`` returns for each file a ``SourceFile`` with bars in UTC, a ``Refused``
with the reason and what to do, or an ``Ignored`` for a file that is recognisably not data.
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
