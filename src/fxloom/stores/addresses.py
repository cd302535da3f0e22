"""Tells a folder's path from a database's address, which may contain a password and is then never shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from fxloom.stores.base import StoreError

HIDDEN = "(an address, not shown)"
_SCHEMES = ("postgresql://", "postgres://")
_KEYWORDS = (
    "host", "hostaddr", "port", "dbname", "database", "user", "password", "passwd", "pwd", "passfile", "service",
    "sslmode", "sslpassword", "options", "server",
)  # fmt: skip
_PAIRS = re.compile(rf"(?:^|[\s;?&])(?:{'|'.join(_KEYWORDS)})\s*=", re.IGNORECASE)
_SECRETS = re.compile(r"(?:password|passwd|pwd|secret|token)\s*=", re.IGNORECASE)
_SCHEME = re.compile(r"://|^\s*(?:jdbc:|[a-z]*postgres[a-z]*[:+])", re.IGNORECASE)
_LOGIN = re.compile(r"[^\s/\\:@]+:[^\s/\\@]*@[^\s/\\]")


def is_database(path: str | Path) -> bool:
    """Whether ``path`` is the URL of a PostgreSQL database, in the one form that is supported."""
    return str(path).startswith(_SCHEMES)


def looks_like_address(text: str) -> bool:
    """Whether ``text`` could be the address of a database in any form, or contain a password.

    >>> [looks_like_address(t) for t in ("postgresql+psycopg2://u:secret@h/d", "host=h password=secret", "C:/lake")]
    [True, True, False]
    """
    return any(form.search(text) for form in (_SCHEME, _PAIRS, _SECRETS, _LOGIN))


def refuse_foreign_address(path: str | Path) -> None:
    """Raise StoreError, without showing ``path``, if it is the address of a database in an unsupported form."""
    if not is_database(path) and looks_like_address(str(path)):
        raise StoreError(
            "this looks like the address of a database in an unsupported form: write it as "
            "postgresql://user@host:5432/database?schema=fxloom (better without a password: keep that in ~/.pgpass or "
            "PGPASSWORD). It is not shown here because it may contain a password"
        )


def may_hold_password(text: str) -> bool:
    """Whether ``text`` is an address that must not be shown: with a password, or in an unsupported form."""
    secret = any(form.search(text) for form in (_SECRETS, _LOGIN))
    return secret or (looks_like_address(text) and not is_database(text))


def without_addresses(message: str, words: Iterable[str]) -> str:
    """``message`` with each of the command line's ``words`` hidden if it may contain a password.

    >>> without_addresses("unrecognized arguments: postgresql://u:secret@h/d", ["postgresql://u:secret@h/d"])
    'unrecognized arguments: (an address, not shown)'
    """
    for word in sorted(words, key=len, reverse=True):
        for part in (word, word.partition("=")[2]):  # as in --store=postgresql://...
            if part and may_hold_password(part):
                message = message.replace(repr(part), HIDDEN).replace(part, HIDDEN)
    return message
