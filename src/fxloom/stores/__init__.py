"""Where bars and features are kept: a folder of Parquet files, PostgreSQL, or memory."""

from __future__ import annotations

from pathlib import Path

from fxloom.stores.addresses import is_database, refuse_foreign_address
from fxloom.stores.base import Store


def open_backend(url: str | Path, adopt: bool = False) -> Store:
    """The store at ``url``: a folder's path, or a URL that begins with postgresql://.

    With ``adopt`` the store replaces rows that have no record in it; without, it refuses to. StoreError if the path
    is empty, or the address of a database in another form, which is not shown.
    """
    refuse_foreign_address(url)
    if is_database(url):
        from fxloom.stores.postgres import PostgresStore

        return PostgresStore(str(url), adopt)
    from fxloom.stores.folder import FolderStore

    return FolderStore(url)
