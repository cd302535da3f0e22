"""Reads users' files as bars in UTC; each file is read separately, and accepted or refused as a whole."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import polars as pl

from fxloom.sources.options import ReadOptions
from fxloom.sources.parsing import Parsed, parsed
from fxloom.sources.printable import printable
from fxloom.sources.records import FileResult, Ignored, Refused, SourceFile
from fxloom.sources.taking import Known, take
from fxloom.sources.unpack import UNREADABLE
from fxloom.sources.walk import Entry, Found, Listed, listed, loaded, walk


def read(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str], options: ReadOptions | None = None
) -> Iterator[FileResult]:
    """Read every file under ``paths`` (files, folders, archives); yields one result per file and pair.

    Never raises because of a file: a ``Refused`` result says what is wrong with it and what to do.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    return (result for path in given for result in _all_under(path, options or ReadOptions()))


def _all_under(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[FileResult]:
    return (result for found in walk(os.fspath(path)) for result in results_of(found, options))


def listing(paths: Iterable[str | os.PathLike[str]]) -> list[Listed]:
    """The files under ``paths``, each of them once, sorted by path: the order of ``paths`` does not matter."""
    found: list[Listed] = []
    seen: set[str] = set()
    for path in sorted((os.fspath(path) for path in paths), key=_place):
        fresh = [each for each in listed(path) if _place(each.file) not in seen]
        seen.update(_place(each.file) for each in fresh)
        found += fresh
    return sorted(found, key=lambda each: Path(_place(each.file)).parts)


def _place(path: str | os.PathLike[str]) -> str:
    return os.path.abspath(path)


def results_of(found: Found, options: ReadOptions) -> list[FileResult]:
    """The results of one file that ``walk`` found, one per pair in it; never raises."""
    return list(read_entry(found, options)) if isinstance(found, Entry) else [_shown(found)]


_UNFORESEEN = (
    ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError,
    pl.exceptions.PolarsError, pl.exceptions.PanicException, zipfile.BadZipFile, *UNREADABLE,
)  # fmt: skip


def read_entry(entry: Entry, options: ReadOptions) -> Iterator[FileResult]:
    """The results of one file, one per pair in it: accepted, refused or ignored; never raises."""
    found = _guarded(entry, Known(), lambda: parsed(entry, loaded(entry), options.format, options.pair))
    for source in found if isinstance(found, list) else [found]:
        yield _shown(_taken(entry, source, options) if isinstance(source, Parsed) else source)


def _shown(result: FileResult) -> FileResult:
    """``result`` with untrusted names and rows made safe to display."""
    if isinstance(result, Ignored):
        return replace(result, name=printable(result.name), reason=printable(result.reason))
    rows = tuple(replace(row, raw=printable(row.raw)) for row in result.quarantined)
    if isinstance(result, SourceFile):
        examples, notes = (tuple(map(printable, texts)) for texts in (result.filler_examples, result.notes))
        name = printable(result.name)
        return replace(result, name=name, quarantined=rows, filler_examples=examples, notes=notes)
    result.quarantined = rows
    result.name, result.reason, result.advice = map(printable, (result.name, result.reason, result.advice))
    return result


def _taken(entry: Entry, source: Parsed, options: ReadOptions) -> FileResult:
    entry = replace(entry, name=f"{entry.name}{source.label}")
    known = Known(source.layout.format, source.pair)
    return _guarded(entry, known, lambda: take(entry, source, options, known))


Result = TypeVar("Result")


def _guarded(entry: Entry, known: Known, read: Callable[[], Result]) -> Result | Refused:
    """What ``read`` returns, or a refusal with what is known about the file."""
    try:
        return read()
    except Refused as refused:
        refusal = refused
    except _UNFORESEEN as error:
        refusal = Refused(f"cannot be read ({type(error).__name__}: {str(error)[:200]})", "export it again, as csv")
    refusal.name, refusal.format, refusal.pair = entry.name, known.format, known.pair
    refusal.kind, refusal.zone, refusal.quarantined = known.kind, known.zone, known.quarantined
    return refusal
