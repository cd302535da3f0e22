"""Recognises files that are not market data: they are ignored, which is not a failure."""

from __future__ import annotations

import re
from pathlib import PurePath

_KINDS = {
    "a document": "md rst pdf doc docx odt rtf tex epub ppt pptx",
    "a log": "log",
    "a program": "py ipynb r m js ts mjs go rs c h cpp cs java mq4 mq5 mqh ex4 ex5 sh bat ps1 exe dll so pyc sql",
    "an image": "png jpg jpeg gif svg webp bmp ico tif tiff",
    "settings": "toml yaml yml ini cfg conf lock set tpl chr",
    "a checksum": "md5 sha1 sha256 sig asc",
    "a system file": "lnk url tmp part crdownload swp bak",
}
_BY_SUFFIX = {suffix: kind for kind, suffixes in _KINDS.items() for suffix in suffixes.split()}
_NAMES = re.compile(
    r"(?i)(readme|licen[cs]e|copying|changelog|authors|notice|makefile|thumbs\.db|desktop\.ini)(\.txt)?"
)


def no_data(name: str, data: bytes) -> str:
    """Why a file is ignored, "" if it may hold data."""
    if data[:400].lstrip().lower().startswith(b"histdata.com ") and b"Status Report" in data[:400]:
        return "a vendor's status report, not data"
    return kept_out(name)


def kept_out(name: str) -> str:
    """Why a file with this name is ignored without reading it, "" if it may hold data."""
    path = PurePath(name)
    if _NAMES.fullmatch(path.name):
        return "a document, not data"
    kind = _BY_SUFFIX.get(path.suffix.lower().removeprefix("."))
    return f"{kind}, not data" if kind else ""
