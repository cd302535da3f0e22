"""Bars and features in PostgreSQL: partitioned by month, written by binary COPY, whole or not at all."""

from __future__ import annotations

from fxloom.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
