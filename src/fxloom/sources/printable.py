"""Makes untrusted text (file names, rows) safe to display, so that it cannot control a terminal."""

from __future__ import annotations

import re

# Control characters except tab, bidirectional marks, line separators, and unpaired surrogates (bytes of a file name
# that are not UTF-8).
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def printable(text: str) -> str:
    """``text`` with every character escaped that is unprintable or could control a terminal.

    >>> printable("a\\x1b[2Jb\\udcff\\u202e.csv")
    'a\\\\x1b[2Jb\\\\xff\\\\u202e.csv'
    """
    return _UNSAFE.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    char = found[0]
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
