"""Text files as lines: encodings, line endings, separators."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fxloom.bars.bars import Ints
from fxloom.sources.names import known_names, plain, role_of
from fxloom.sources.records import Refused

SAMPLE = 64  # lines used for recognition
CHUNK = 1 << 24  # bytes searched for line feeds at once
BLOCK = 500_000  # lines parsed at once
SEPARATORS = (";", "\t", ",", "|")


@dataclass(frozen=True, eq=False)
class Text:
    """A file as UTF-8 with plain line feeds; lines count from 1."""

    data: bytes

    @cached_property
    def ends(self) -> Ints:
        """The position where each line ends (its line feed, or the end of the file)."""
        letters = np.frombuffer(self.data, np.uint8)
        parts = [
            start + np.flatnonzero(letters[start : start + CHUNK] == 10) for start in range(0, len(letters), CHUNK)
        ]
        tail = [] if self.data.endswith(b"\n") else [len(self.data)]
        return np.concatenate([*parts, np.asarray(tail, np.int64)]).astype(np.int64, copy=False)

    def __len__(self) -> int:
        return len(self.ends)

    def lines(self, first: int, last: int) -> list[str]:
        """Lines ``first`` to ``last``, both inclusive."""
        start = 0 if first <= 1 else int(self.ends[first - 2]) + 1
        end = int(self.ends[min(last, len(self)) - 1]) if len(self) else 0
        return self.data[start:end].decode().split("\n") if end >= start and last >= first else []

    def blocks(self, first: int) -> Iterator[Block]:
        """The lines from line ``first`` on."""
        for start in range(first, len(self) + 1, BLOCK):
            stop = min(start + BLOCK - 1, len(self))
            begin = 0 if start <= 1 else int(self.ends[start - 2]) + 1
            yield Block(start, stop - start + 1, self.data[begin : int(self.ends[stop - 1])])


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive lines: the number of the first, how many, and their bytes without the last line feed."""

    first: int
    size: int
    data: bytes

    def __len__(self) -> int:
        return self.size

    def count(self, letter: str) -> int:
        """How often the ASCII character ``letter`` occurs."""
        return int(np.count_nonzero(np.frombuffer(self.data, np.uint8) == ord(letter)))

    def lines(self) -> list[str]:
        return self.data.decode().split("\n")


def decoded(data: bytes) -> Text:
    """``data`` as text, whatever its encoding and line endings. Raises ``Refused`` if it is binary."""
    data = data if data.isascii() else _unicode(data).encode("utf-8", "replace")
    if b"\x00" in data or _control_share(data[:4096].decode("utf-8", "ignore")) > 0.02:
        raise Refused("not text: a binary file in an unknown format", "export it as csv")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return Text(_without_quoted_commas(data))


_QUOTED = re.compile(rb'"-?\d[\d.]*(?:,\d+)+(?:\.\d+)?"')


def _without_quoted_commas(data: bytes) -> bytes:
    """Numbers such as "1,2345" or "1,234.5" in quotes, with a decimal point and without thousands separators."""
    head = data[:4096]
    if not _QUOTED.search(head):
        return data
    others = _QUOTED.sub(b"", head)
    points = re.search(rb"(?<![\d.])\d+\.\d+(?![\d.])", others) is not None  # the file uses decimal points

    def plain(number: re.Match[bytes]) -> bytes:
        return number[0].replace(b",", b"") if points else number[0].replace(b".", b"").replace(b",", b".")

    return _QUOTED.sub(plain, data)


def _unicode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    head = data[:2000]
    if head[1::2].count(0) > 0.8 * len(head[1::2]) > 4:
        return data.decode("utf-16-le", "replace")
    if head[::2].count(0) > 0.8 * len(head[::2]) > 4:
        return data.decode("utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode(_code_page(data[:4096]), "replace")


_CODE_PAGES = ("cp1252", "cp1251", "cp932", "gb18030", "cp1250", "koi8_r", "cp866")


def _code_page(head: bytes) -> str:
    """The code page under which most words of the head are column names; by default Western European."""
    return max(_CODE_PAGES, key=lambda page: known_names(re.split(r"[;,\t|\n]", head.decode(page, "replace"))))


def _control_share(text: str) -> float:
    controls = sum((ord(c) < 32 and c not in "\t\r\n\f") or c == "�" for c in text)
    return controls / max(len(text), 1)


@dataclass(frozen=True, eq=False)
class Sample:
    """The head of a table, for recognition: names of columns, and rows of fields.

    ``header`` holds the columns' names as written, () if there are none; ``first`` is the first data line.
    ``tickers`` holds each column's instrument from a second header row, () in most files.
    """

    hints: tuple[str, ...]
    separator: str
    comma: bool  # decimal commas
    header: tuple[str, ...]
    first: int
    rows: tuple[tuple[str, ...], ...]
    quoted: bool = False
    tickers: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return Counter(map(len, self.rows)).most_common(1)[0][0]

    def column(self, place: int) -> list[str]:
        return [row[place] for row in self.rows if len(row) > place]

    def by_ticker(self) -> list[tuple[str, Sample]]:
        """The sample of each instrument, without the other instruments' column names; this sample if there is none."""
        distinct = list(dict.fromkeys(ticker for ticker in self.tickers if ticker))
        return [(each, self._of_ticker(each)) for each in distinct] or [("", self)]

    def _of_ticker(self, ticker: str) -> Sample:
        theirs = (*self.tickers, *[""] * len(self.header))
        header = (name if own in ("", ticker) else "-" for name, own in zip(self.header, theirs, strict=False))
        return replace(self, header=tuple(header), tickers=())


def sampled(text: Text, hints: tuple[str, ...]) -> Sample:
    """The separator, header and first rows of ``text``. Raises ``Refused`` if it does not look like a table."""
    numbered = [(n, line) for n, line in enumerate(text.lines(1, SAMPLE), 1) if line.strip()]
    if not numbered:
        raise Refused("holds only blank lines", "download it again")
    quoted = any('"' in line for _, line in numbered)
    lines = [(n, line.replace('"', "")) for n, line in numbered]
    separator = _separator([line for _, line in lines])
    fields = [(n, tuple(f.strip() for f in line.split(separator))) for n, line in lines]
    data = next((i for i, (_, row) in enumerate(fields) if _is_data(row)), len(fields))
    if data == len(fields):
        raise Refused(
            "not recognised: none of its first lines holds a time and prices",
            "see the formats listed in the documentation",
        )
    rows = tuple(row for _, row in fields[data:])
    header, tickers = stacked([row for _, row in fields[:data]])
    comma = separator != "," and any(re.fullmatch(r"-?\d+,\d+", f) for row in rows for f in row)
    return Sample(hints, separator, comma, header, fields[data][0], rows, quoted, tickers)


def stacked(head: list[tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns' names and their instruments from the rows above the data, as pandas writes two-level column names.

    >>> stacked([("Price", "Close", "Open"), ("Ticker", "EURUSD=X", "EURUSD=X"), ("Datetime", "", "")])
    (('Datetime', 'Close', 'Open'), ('', 'EURUSD=X', 'EURUSD=X'))
    """
    rows = [row for row in head if len(row) >= 2]
    tickers = next((row for row in rows if plain(row[0]) in ("ticker", "symbol", "tickers", "symbols")), None)
    names = next((row for row in rows if row is not tickers and any(map(role_of, row[1:]))), None)
    if len(rows) < 2 or tickers is None or names is None or any(role_of(cell) for cell in tickers[1:]):
        return (rows[-1] if rows else ()), ()
    time = rows[-1][0] if not any(rows[-1][1:]) else ""
    return (time, *names[1:]), ("", *tickers[1:])


def _separator(lines: list[str]) -> str:
    """The separator that splits most lines into the same number of fields: at least three, or all lines into two."""

    def consistency(separator: str) -> tuple[int, int]:
        width, lines_so = Counter(line.count(separator) for line in lines).most_common(1)[0]
        return (lines_so, width) if width >= 2 or (width == 1 and lines_so == len(lines)) else (0, 0)

    best = max(SEPARATORS, key=consistency)
    if consistency(best)[0] == 0:
        raise Refused("not recognised: no separator splits its lines into columns", "export it as csv")
    return best


def _is_data(row: tuple[str, ...]) -> bool:
    """Whether a row has at least two numbers or times, and few words."""
    numeric = sum(bool(re.match(r"[-+]?[.\d]", f)) for f in row)
    return numeric >= 2 and 2 * numeric >= sum(bool(f) for f in row)
