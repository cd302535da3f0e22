"""Bars and features in PostgreSQL: partitioned by month, written by binary COPY, atomically."""

from __future__ import annotations

from fxloom.system.extras import require

require("psycopg", "postgres", "PostgreSQL")  # everything in this package imports it

from fxloom.stores.postgres.store import PostgresStore  # noqa: E402 - after the check that it can be imported

__all__ = ["PostgresStore"]
