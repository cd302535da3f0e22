"""Text of others' making (names of files, rows) made safe to show: nothing in it can steer a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` with control characters, direction marks and bytes that are not UTF-8 spelled out.

    >>> printable("a\\x1b[2Jb\\udcff\\u202e.csv")
    'a\\\\x1b[2Jb\\\\xff\\\\u202e.csv'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else _spelled(c) for c in text)


def _spelled(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte of a name that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
