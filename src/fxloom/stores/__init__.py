"""Where bars and features are kept: a folder of Parquet files, PostgreSQL, or memory."""

from __future__ import annotations

from pathlib import Path

from fxloom.stores.base import Store


def open_backend(url: str | Path, adopt: bool = False) -> Store:
    """The store at ``url``: a folder's path, or a URL that begins with postgresql://.

    With ``adopt`` it replaces rows in its way of which it knows nothing; without, it refuses to.
    """
    if str(url).startswith(("postgresql://", "postgres://")):
        from fxloom.stores.postgres import PostgresStore

        return PostgresStore(str(url), adopt)
    from fxloom.stores.folder import FolderStore

    return FolderStore(url)
