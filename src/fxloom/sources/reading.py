"""From a user's files to bars in UTC: each file is read on its own, and is taken or refused as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import polars as pl

from fxloom.sources.formats import NAMES
from fxloom.sources.instrument import asked_pair
from fxloom.sources.records import Outcome, Refused
from fxloom.sources.taking import Known, Stamp, Wishes, take
from fxloom.sources.walk import Entry, loaded, walk
from fxloom.sources.zone import asked_zone


def read(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str],
    *,
    pair: str | None = None,
    format: str = "auto",
    zone: str = "auto",
    stamp: Stamp = "open",
) -> Iterator[Outcome]:
    """Every file under ``paths`` (files, folders, zips) as bars in UTC, refused with a reason and a cure, or ignored.

    ``pair``, ``format`` (one of ``FORMAT_NAMES``) and ``zone`` ("+2", "-05:00", "Europe/Athens", "utc") are
    found in each file unless said; ``stamp="close"`` says that times are those of the bars' closes. Raises
    ``ValueError`` for an argument that makes no sense; a file never raises.
    """
    if format not in ("auto", *NAMES):
        raise ValueError(f"--format {format!r} is none of auto, {', '.join(NAMES)}")
    if stamp not in ("open", "close"):
        raise ValueError(f"--stamp {stamp!r} is neither open nor close")
    wishes = Wishes(asked_pair(pair), format, asked_zone(zone), stamp)
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    return (outcome for path in given for outcome in _all_under(path, wishes))


def _all_under(path: str | os.PathLike[str], wishes: Wishes) -> Iterator[Outcome]:
    for found in walk(os.fspath(path)):
        yield read_entry(found, wishes) if isinstance(found, Entry) else found


_UNFORESEEN = (
    ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError,
    pl.exceptions.PolarsError, pl.exceptions.PanicException,
)  # fmt: skip


def read_entry(entry: Entry, wishes: Wishes) -> Outcome:
    """One file, taken, refused or ignored; never an exception."""
    known = Known()
    try:
        return take(entry, loaded(entry), wishes, known)
    except Refused as refused:
        refusal = refused
    except _UNFORESEEN as error:
        refusal = Refused(f"cannot be read ({type(error).__name__}: {str(error)[:200]})", "export it again, as csv")
    refusal.name, refusal.format, refusal.pair = entry.name, known.format, known.pair
    refusal.kind, refusal.zone, refusal.quarantined = known.kind, known.zone, known.quarantined
    return refusal
