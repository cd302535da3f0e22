"""Recognises unsupported formats that people keep prices in, and refuses each by name, with what to do."""

from __future__ import annotations

from fxloom.sources.records import Refused

_AS_CSV = "export it as csv"
_UNPACK = "unpack it first"
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer: the data itself was not fetched", "git lfs pull"),
    (b"/annex/objects/", "a git-annex pointer: the data itself was not fetched", "git annex get"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel spreadsheet (xls)", "save it as xlsx or csv"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"SQLite format 3\x00", "an SQLite database", "export its table as csv"),
    (b"\x89HDF\r\n", "an HDF5 file", "write it as Parquet or csv"),
    (b"\x93NUMPY", "a NumPy array without column names", "write it as csv with a header"),
    (b"\x80\x04\x95", "a Python pickle, which can execute code", "write it as Parquet or csv"),
    (b"\x80\x05\x95", "a Python pickle, which can execute code", "write it as Parquet or csv"),
    (b"Obj\x01", "an Avro file", "write it as Parquet or csv"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"\x90\x01\x00\x00", "a history of MetaTrader 4 (hst)", "export it from the History Center as csv"),
    (b"\x91\x01\x00\x00", "a history of MetaTrader 4 (hst)", "export it from the History Center as csv"),
    (b"%PDF", "a PDF", _AS_CSV),
    (b"\x89PNG", "an image", "provide the prices as csv"),
    (b"\xff\xd8\xff", "an image", "provide the prices as csv"),
    (b"GIF8", "an image", "provide the prices as csv"),
)
_PAGE = "an HTML page instead of data: the server answered with a page"
_MARKUP = (
    ("<html", _PAGE, "download it again, logged in if need be"),
    ("<!doctype html", _PAGE, "download it again, logged in if need be"),
    ("<?xml", "XML", _AS_CSV),
)


def refuse_by_kind(data: bytes) -> None:
    """Raise ``Refused`` for a file whose first bytes are those of an unsupported format."""
    for magic, kind, advice in _MAGIC:
        if data.startswith(magic):
            raise Refused(kind, advice)
    head = data[:200].decode("latin-1").lstrip("\xef\xbb\xbf \t\r\n").lower()
    for start, kind, advice in _MARKUP:
        if head.startswith(start):
            raise Refused(kind, advice)
