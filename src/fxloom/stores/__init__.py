"""Where bars and features are kept: a folder of Parquet files, PostgreSQL, or memory."""

from __future__ import annotations

from pathlib import Path

from fxloom.stores.addresses import is_database, refuse_foreign_address
from fxloom.stores.base import Store


def open_backend(url: str | Path, adopt: bool = False) -> Store:
    """The store at ``url``: a folder's path, or a URL that begins with postgresql://.

    With ``adopt``, writing to PostgreSQL may replace rows that have no record in the store. StoreError if the path is
    empty, or if it is the address of a database in an unsupported form (the message does not repeat it).
    """
    refuse_foreign_address(url)
    if is_database(url):
        from fxloom.stores.postgres import PostgresStore

        return PostgresStore(str(url), adopt)
    from fxloom.stores.folder import FolderStore

    return FolderStore(url)
